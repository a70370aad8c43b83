{{/* Kubernetes reads "$(NAME)" and "$$" in an env value; doubling each "$" brings the value to the app unchanged. */}}
{{- define "common.env" -}}
{{- range $name, $value := .app.env }}
{{- if ne $name "PORT" }}
- name: {{ $name | quote }}
  value: {{ $value | replace "$" "$$" | quote }}
{{- end }}
{{- end }}
- name: "PORT"
  value: {{ .app.port | int64 | toString | quote }}
{{- end -}}

{{/* The Host header lets apps that check it (Django's ALLOWED_HOSTS) answer the kubelet. */}}
{{- define "common.httpProbe" -}}
httpGet:
  path: {{ .app.healthPath | quote }}
  port: "http"
  scheme: "HTTP"
  httpHeaders:
    - name: "Host"
      value: {{ .app.host | default "localhost" | quote }}
{{- end -}}

{{- define "common.probes" -}}
{{- $probes := .app.probes -}}
startupProbe:
  {{- include "common.httpProbe" . | nindent 2 }}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: {{ max 1 (div (int64 $probes.startupSeconds) 2) }}
readinessProbe:
  {{- include "common.httpProbe" . | nindent 2 }}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
livenessProbe:
  tcpSocket:
    port: "http"
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end -}}

{{- define "common.resources" -}}
{{- with .app.resources -}}
requests:
  cpu: {{ .requests.cpu | quote }}
  memory: {{ .requests.memory | quote }}
limits:
  memory: {{ .limits.memory | quote }}
{{- end -}}
{{- end -}}

{{- define "common.container" -}}
name: {{ .component | quote }}
image: {{ printf "%s@%s" .app.image.repository .app.image.digest | quote }}
imagePullPolicy: "IfNotPresent"
ports:
  - name: "http"
    containerPort: {{ int64 .app.port }}
    protocol: "TCP"
env:
  {{- include "common.env" . | nindent 2 }}
{{- with .app.envSecret }}
envFrom:
  - secretRef:
      name: {{ . | quote }}
{{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: ["ALL"]
resources:
  {{- include "common.resources" . | nindent 2 }}
{{ include "common.probes" . }}
lifecycle:
  preStop:
    sleep:
      seconds: {{ int64 .app.shutdown.drainSeconds }}
volumeMounts:
  - name: "tmp"
    mountPath: "/tmp"
{{- end -}}
