# Dockerfile for static-site, written by Shipway. Build it with BuildKit, in the folder of the app.
# Secrets and caches are mounts: none ends up in a layer, and a secret that isn't given is left out.

FROM nginx:1-trixie AS runtime
WORKDIR /app

# Listens above 1024 and writes below /tmp only, so that an ordinary user and a read-only root do.
RUN printf '%s\n' 'pid /tmp/nginx.pid;' 'error_log /dev/stderr warn;' 'events { worker_connections 1024; }' 'http {' '  include /etc/nginx/mime.types;' '  default_type application/octet-stream;' '  access_log /dev/stdout;' '  server_tokens off;' '  sendfile on;' '  gzip on;' '  gzip_types text/css text/javascript application/javascript application/json image/svg+xml;' '  client_body_temp_path /tmp/body;' '  proxy_temp_path /tmp/proxy;' '  fastcgi_temp_path /tmp/fastcgi;' '  uwsgi_temp_path /tmp/uwsgi;' '  scgi_temp_path /tmp/scgi;' '  server {' '    listen 8080;' '    root /app;' '    absolute_redirect off;' '    add_header X-Content-Type-Options nosniff always;' '    location ~ /\.(?!well-known/) { return 404; }' '    location ~ \.[0-9A-Za-z]+$ { try_files $uri =404; }' '    location / {' '      add_header X-Content-Type-Options nosniff always;' '      add_header Cache-Control no-cache always;' '      try_files $uri $uri/index.html $uri.html /index.html =404;' '    }' '  }' '}' > /etc/nginx/site.conf

# The site.
COPY . ./

ENV HOME="/tmp" \
    PORT="8080"

# A number, so that Kubernetes can see that it isn't root.
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["bash", "-c", "exec 3<>\"/dev/tcp/127.0.0.1/${PORT:-8080}\" && printf 'GET %s HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' \"$1\" >&3 && read -r -t 4 _ status _ <&3 && [[ $status == [23]* ]]", "healthcheck", "/"]
CMD ["nginx", "-c", "/etc/nginx/site.conf", "-g", "daemon off;"]
