# Dockerfile for java-spring, written by Shipway. Build it with BuildKit, in the folder of the app.
# Secrets and caches are mounts: none ends up in a layer, and a secret that isn't given is left out.

FROM maven:3.9-eclipse-temurin-21 AS build
WORKDIR /app

# The whole project: a build of several modules needs all their manifests.
COPY . ./

# Maven's repository is a cache mount: a changed source line downloads nothing again. The quick compiler of
# the JVM alone suits a short-lived process.
RUN --mount=type=cache,id=ws-local-maven,target=/root/.m2/repository,sharing=locked \
    --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=secret,id=java-truststore,target=/etc/ssl/certs/java/cacerts \
    --mount=type=secret,id=java-truststore,target=/opt/java/openjdk/lib/security/cacerts \
    --mount=type=secret,id=maven-settings,target=/root/.m2/settings.xml \
    MAVEN_OPTS='-XX:+UseSerialGC -XX:TieredStopAtLevel=1' mvn -B -DskipTests package

# Spring Boot takes its own jar apart: dependencies, which rarely change, become layers of their own. A jar
# that can't be taken apart (Spring Boot before 3.3) stays whole.
RUN mkdir -p /layers/dependencies /layers/spring-boot-loader /layers/snapshot-dependencies /layers/application && \
    cp target/*.jar /layers/app.jar && \
    { java -Djarmode=tools -jar /layers/app.jar extract --layers --force --destination /layers || cp /layers/app.jar /layers/application/; }

FROM eclipse-temurin:21-jre AS runtime
WORKDIR /app

# No Maven and no compiler here: the layers of the jar, those that change most last.
COPY --from=build /layers/dependencies ./
COPY --from=build /layers/spring-boot-loader ./
COPY --from=build /layers/snapshot-dependencies ./
COPY --from=build /layers/application ./

ENV HOME="/tmp" \
    JAVA_TOOL_OPTIONS="-XX:MaxRAMPercentage=75 -XX:+ExitOnOutOfMemoryError" \
    PORT="8080"

# A number, so that Kubernetes can see that it isn't root.
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["bash", "-c", "exec 3<>\"/dev/tcp/127.0.0.1/${PORT:-8080}\" && printf 'GET %s HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' \"$1\" >&3 && read -r -t 4 _ status _ <&3 && [[ $status == [23]* ]]", "healthcheck", "/actuator/health"]
CMD ["java", "-jar", "app.jar"]
