FROM shipway/base/debian:trixie
ENV LANG="C.UTF-8"
RUN --mount=type=secret,id=ca-bundle --mount=type=cache,id=shipway-base-apt,target=/var/cache/apt,sharing=locked --mount=type=cache,id=shipway-base-lists,target=/var/lib/apt/lists,sharing=locked \
    trust="" \
 && if [ -s /run/secrets/ca-bundle ]; then trust="-o Acquire::https::CAInfo=/run/secrets/ca-bundle"; fi \
 && export DEBIAN_FRONTEND=noninteractive \
 && apt-get $trust update -q \
 && apt-get $trust install -q --yes --no-install-recommends ca-certificates python3 python3-pip python3-venv \
 && ln -s /usr/bin/python3 /usr/local/bin/python \
 && ln -s /usr/bin/python3-config /usr/local/bin/python-config \
 && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED \
 && rm -rf /var/log/apt/* /var/log/dpkg.log /var/log/alternatives.log /var/cache/debconf/*-old /root/.cache \
 && rm -rf /var/cache/ldconfig/aux-cache /usr/share/doc-base
CMD ["python3"]
