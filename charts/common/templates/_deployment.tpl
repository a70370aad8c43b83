{{- define "common.pod" -}}
metadata:
  labels:
    {{- include "common.selectorLabels" . | nindent 4 }}
spec:
  serviceAccountName: {{ .name | quote }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with .app.imagePullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . | quote }}
    {{- end }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: {{ int64 .app.runAsUser }}
    runAsGroup: {{ int64 .app.runAsUser }}
    fsGroup: {{ int64 .app.runAsUser }}
    seccompProfile:
      type: "RuntimeDefault"
  terminationGracePeriodSeconds: {{ add (int64 .app.shutdown.drainSeconds) (int64 .app.shutdown.graceSeconds) }}
  containers:
    - {{- include "common.container" . | nindent 6 }}
  volumes:
    - name: "tmp"
      emptyDir:
        sizeLimit: {{ .app.tmpSize | quote }}
{{- end -}}

{{- define "common.deployment" -}}
apiVersion: "apps/v1"
kind: "Deployment"
metadata:
  {{- include "common.metadata" . | nindent 2 }}
spec:
  replicas: {{ int64 .app.replicas }}
  revisionHistoryLimit: 2
  progressDeadlineSeconds: {{ add (int64 .app.probes.startupSeconds) 180 }}
  strategy:
    type: "RollingUpdate"
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: 0
  selector:
    matchLabels:
      {{- include "common.selectorLabels" . | nindent 6 }}
  template:
    {{- include "common.pod" . | nindent 4 }}
{{- end -}}
