FROM shipway/base/debian:trixie
RUN --mount=type=secret,id=ca-bundle --mount=type=cache,id=shipway-base-apt,target=/var/cache/apt,sharing=locked --mount=type=cache,id=shipway-base-lists,target=/var/lib/apt/lists,sharing=locked \
    trust="" \
 && if [ -s /run/secrets/ca-bundle ]; then trust="-o Acquire::https::CAInfo=/run/secrets/ca-bundle"; fi \
 && export DEBIAN_FRONTEND=noninteractive \
 && apt-get $trust update -q \
 && apt-get $trust install -q --yes --no-install-recommends nginx-light \
 && groupadd --system --gid 101 nginx \
 && useradd --system --uid 101 --gid 101 --home-dir /nonexistent --no-create-home --shell /bin/false nginx \
 && mkdir -p /usr/share/nginx/html /etc/nginx/conf.d \
 && rm -f /etc/nginx/sites-enabled/default \
 && printf 'server {\n  listen 80;\n  root /usr/share/nginx/html;\n}\n' > /etc/nginx/conf.d/default.conf \
 && ln -sf /dev/stdout /var/log/nginx/access.log \
 && ln -sf /dev/stderr /var/log/nginx/error.log \
 && rm -rf /var/log/apt/* /var/log/dpkg.log /var/log/alternatives.log /var/cache/debconf/*-old /root/.cache \
 && rm -rf /var/cache/ldconfig/aux-cache /usr/share/doc-base
EXPOSE 80
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
