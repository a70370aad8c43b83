FROM shipway/base/debian:trixie
ENV JAVA_HOME="/opt/java/openjdk"
ENV LANG="C.UTF-8"
ENV PATH="/opt/java/openjdk/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENV MAVEN_HOME="/usr/share/maven"
RUN --mount=type=secret,id=ca-bundle --mount=type=cache,id=shipway-base-apt,target=/var/cache/apt,sharing=locked --mount=type=cache,id=shipway-base-lists,target=/var/lib/apt/lists,sharing=locked \
    trust="" \
 && if [ -s /run/secrets/ca-bundle ]; then trust="-o Acquire::https::CAInfo=/run/secrets/ca-bundle"; fi \
 && export DEBIAN_FRONTEND=noninteractive \
 && apt-get $trust update -q \
 && apt-get $trust install -q --yes --no-install-recommends ca-certificates maven openjdk-21-jdk-headless \
 && mkdir -p /opt/java \
 && ln -s "$(dirname "$(dirname "$(readlink -f /usr/bin/java)")")" /opt/java/openjdk \
 && test -r /etc/ssl/certs/java/cacerts \
 && rm -rf /var/log/apt/* /var/log/dpkg.log /var/log/alternatives.log /var/cache/debconf/*-old /root/.cache \
 && rm -rf /var/cache/ldconfig/aux-cache /usr/share/doc-base
CMD ["mvn"]
