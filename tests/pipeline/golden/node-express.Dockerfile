# Dockerfile for node-express, written by Shipway. Build it with BuildKit, in the folder of the app.
# Secrets and caches are mounts: none ends up in a layer, and a secret that isn't given is left out.

FROM node:20-trixie-slim AS build
WORKDIR /app

# Node trusts its own certificate authorities and those of this file, where a company's bundle is mounted.
ENV NODE_EXTRA_CA_CERTS="/etc/ssl/certs/ca-certificates.crt"

# Manifests first: as long as they stay the same, the dependencies below come from the build cache.
COPY package-lock.json package.json ./

# Installs exactly what the lock file names, production dependencies only.
RUN --mount=type=cache,id=ws-local-npm,target=/root/.npm,sharing=locked \
    --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm ci --no-audit --no-fund --omit=dev

FROM node:20-trixie-slim AS runtime
WORKDIR /app

# As a container's first process Node ignores SIGTERM, unless the app listens for it: without this, every
# rollout would wait until it is killed.
RUN echo "process.on('SIGTERM', () => process.listenerCount('SIGTERM') > 1 || process.exit(143))" > /opt/stop.cjs

# The dependencies, without the package manager's caches.
COPY --from=build /app ./

# The source comes last, since it changes most.
COPY . ./

ENV HOME="/tmp" \
    NODE_ENV="production" \
    PORT="3000"

# A number, so that Kubernetes can see that it isn't root.
USER 10001:10001
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:'+(process.env.PORT||'3000')+process.argv[1],{redirect:'manual',signal:AbortSignal.timeout(4000)}).then(r=>process.exit(r.status<400?0:1),()=>process.exit(1))", "/healthz"]
CMD ["node", "--require=/opt/stop.cjs", "server.js"]
