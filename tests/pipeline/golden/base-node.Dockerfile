FROM shipway/base/debian:trixie
RUN --mount=type=secret,id=ca-bundle --mount=type=cache,id=shipway-base-apt,target=/var/cache/apt,sharing=locked --mount=type=cache,id=shipway-base-lists,target=/var/lib/apt/lists,sharing=locked \
    trust="" \
 && if [ -s /run/secrets/ca-bundle ]; then trust="-o Acquire::https::CAInfo=/run/secrets/ca-bundle"; fi \
 && export DEBIAN_FRONTEND=noninteractive \
 && apt-get $trust update -q \
 && apt-get $trust install -q --yes --no-install-recommends ca-certificates nodejs npm \
 && groupadd --gid 1000 node \
 && useradd --uid 1000 --gid node --shell /bin/bash --create-home node \
 && rm -rf /var/log/apt/* /var/log/dpkg.log /var/log/alternatives.log /var/cache/debconf/*-old /root/.cache \
 && rm -rf /var/cache/ldconfig/aux-cache /usr/share/doc-base
CMD ["node"]
