# Dockerfile for node-next, written by Shipway. Build it with BuildKit, in the folder of the app.
# Secrets and caches are mounts: none ends up in a layer, and a secret that isn't given is left out.

FROM node:20-trixie-slim AS build
WORKDIR /app

# Node trusts its own certificate authorities and those of this file, where a company's bundle is mounted.
ENV NEXT_TELEMETRY_DISABLED="1" \
    NODE_EXTRA_CA_CERTS="/etc/ssl/certs/ca-certificates.crt"

# Manifests first: as long as they stay the same, the dependencies below come from the build cache.
COPY package-lock.json package.json ./

# Installs exactly what the lock file names, build tools included.
RUN --mount=type=cache,id=ws-local-npm,target=/root/.npm,sharing=locked \
    --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm ci --no-audit --no-fund

# The source comes last, since it changes most.
COPY . ./

# The build step of the app. Next.js keeps its compiler's cache from build to build, but no fetched data;
# public/ is optional, yet copied below.
RUN --mount=type=cache,id=ws-local-next-node-next,target=/app/.next/cache,sharing=locked \
    --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \
    mkdir -p public && \
    rm -rf .next/cache/fetch-cache && \
    npm run build

FROM node:20-trixie-slim AS runtime
WORKDIR /app

# Next.js has traced what the server needs: a small part of node_modules.
COPY --from=build /app/.next/standalone ./

# Assets, which the server sends itself.
COPY --from=build /app/.next/static ./.next/static
COPY --from=build /app/public ./public

ENV HOME="/tmp" \
    HOSTNAME="0.0.0.0" \
    NEXT_TELEMETRY_DISABLED="1" \
    NODE_ENV="production" \
    PORT="3000"

# A number, so that Kubernetes can see that it isn't root.
USER 10001:10001
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:'+(process.env.PORT||'3000')+process.argv[1],{redirect:'manual',signal:AbortSignal.timeout(4000)}).then(r=>process.exit(r.status<400?0:1),()=>process.exit(1))", "/"]
CMD ["node", "server.js"]
