{{/* A Service's name must begin with a letter; a project's may begin with a digit. */}}
{{- define "common.serviceName" -}}
{{- if regexMatch "^[0-9]" .name -}}svc-{{- end -}}{{- .name -}}
{{- end -}}

{{/* Only labels that never change for one workload: a selector is immutable. */}}
{{- define "common.selectorLabels" -}}
app.kubernetes.io/name: {{ .name | quote }}
app.kubernetes.io/component: {{ .component | quote }}
{{- end -}}

{{- define "common.labels" -}}
{{ include "common.selectorLabels" . }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/part-of: {{ .root.Release.Namespace | quote }}
app.kubernetes.io/managed-by: "shipway"
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | quote }}
{{- end -}}

{{/* What runs and where it came from, for people and for the console. */}}
{{- define "common.annotations" -}}
{{- with .root.Values.release -}}
shipway.dev/release: {{ .version | quote }}
shipway.dev/source-repository: {{ .repository | quote }}
shipway.dev/source-branch: {{ .branch | quote }}
shipway.dev/source-commit: {{ .commit | quote }}
shipway.dev/source-dirty: {{ .dirty | toString | quote }}
shipway.dev/scan: {{ .scan | quote }}
{{- end -}}
{{- end -}}

{{- define "common.metadata" -}}
name: {{ .name | quote }}
namespace: {{ .root.Release.Namespace | quote }}
labels:
  {{- include "common.labels" . | nindent 2 }}
annotations:
  {{- include "common.annotations" . | nindent 2 }}
{{- end -}}
