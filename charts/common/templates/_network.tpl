{{- define "common.service" -}}
apiVersion: "v1"
kind: "Service"
metadata:
  {{- include "common.metadata" (merge (dict "name" (include "common.serviceName" .)) .) | nindent 2 }}
spec:
  type: "ClusterIP"
  selector:
    {{- include "common.selectorLabels" . | nindent 4 }}
  ports:
    - name: "http"
      port: 80
      targetPort: "http"
      protocol: "TCP"
{{- end -}}

{{- define "common.ingress" -}}
{{- $ingress := .app.ingress -}}
apiVersion: "networking.k8s.io/v1"
kind: "Ingress"
metadata:
  {{- include "common.metadata" . | nindent 2 }}
  {{- range $name, $value := $ingress.annotations }}
    {{ $name | quote }}: {{ $value | quote }}
  {{- end }}
spec:
  ingressClassName: {{ $ingress.className | quote }}
  {{- with $ingress.tlsSecretName }}
  tls:
    - secretName: {{ . | quote }}
      hosts: [{{ $.app.host | quote }}]
  {{- end }}
  rules:
    - host: {{ .app.host | quote }}
      http:
        paths:
          - path: "/"
            pathType: "Prefix"
            backend:
              service:
                name: {{ include "common.serviceName" . | quote }}
                port:
                  name: "http"
{{- end -}}

{{- define "common.serviceAccount" -}}
apiVersion: "v1"
kind: "ServiceAccount"
metadata:
  {{- include "common.metadata" . | nindent 2 }}
automountServiceAccountToken: false
{{- end -}}
