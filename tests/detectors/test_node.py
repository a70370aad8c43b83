"""Node: what starts, where it listens, and what is only a site or a library."""

from __future__ import annotations

import pytest

from tests.detectors.trees import evidence, package, reason, service, warnings

LOCK = {"package-lock.json": "{}"}
SERVER = 'const app = require("express")();\napp.get("/healthz", ok);\napp.listen(process.env.PORT || 4100);\n'


def express(**scripts: str) -> dict[str, str]:
    return {
        "package.json": package(dependencies={"express": "5"}, scripts=scripts),
        "server.js": SERVER,
        **LOCK,
    }


def test_a_plain_node_start_script_becomes_argv_without_npm() -> None:
    found = service(express(start="node server.js"))
    assert (found.framework, found.kind, found.start) == ("express", "server", ("node", "server.js"))
    assert (found.port, found.health_path) == (4100, "/healthz")
    assert evidence(found, "port") == "server.js:3"
    assert evidence(found, "health_path") == "server.js:2"
    assert found.manifests == ("package.json", "package-lock.json")
    assert (found.build, found.output) == ((), None)


@pytest.mark.parametrize(
    ("script", "argv"),
    [
        ("nodemon server.js", ("node", "server.js")),
        ("NODE_ENV=production node server.js", ("node", "server.js")),
        (
            "cross-env A=1 node --enable-source-maps server.js",
            ("env", "A=1", "node", "--enable-source-maps", "server.js"),
        ),
        ("node --watch server.js", ("node", "server.js")),
        ("npm run build && node server.js", ("node", "server.js")),
        ("prisma migrate deploy && node server.js", ("npm", "run", "start")),
        ("pm2-runtime start server.js", ("node", "server.js")),
        ("npm run serve", ("node", "server.js")),
        ("node .", ("node", ".")),
        ("ts-node-dev --respawn src/index.ts", ("node", "server.js")),
    ],
)
def test_start_scripts_are_read_for_what_production_needs(script: str, argv: tuple[str, ...]) -> None:
    assert service(express(start=script, serve="node server.js")).start == argv


def test_a_development_server_is_warned_of_with_its_line() -> None:
    found = service(express(start="nodemon server.js"))
    assert "package.json:6 the start script is a development server and isn't used" in warnings(found)


def test_scripts_that_call_each_other_in_a_circle_end_at_the_entry_file() -> None:
    assert service(express(start="npm run a", a="npm run start")).start == ("node", "server.js")


def test_the_procfile_beats_the_start_script_and_port_gets_a_default() -> None:
    files = express(start="node server.js") | {"Procfile": "release: x\nweb: node server.js --port $PORT\n"}
    found = service(files)
    assert found.start == ("node", "server.js", "--port", "${PORT:-3000}")
    assert evidence(found, "start") == "Procfile:2"


@pytest.mark.parametrize(
    ("dependency", "framework"), [("fastify", "fastify"), ("koa", "koa"), ("hono", "hono"), ("express", "express")]
)
def test_servers_are_named_by_their_production_dependency(dependency: str, framework: str) -> None:
    files = {"package.json": package(dependencies={dependency: "1"}, scripts={"start": "node x.js"}), "x.js": ""}
    assert service(files).framework == framework


def test_a_server_beats_the_bundler_beside_it() -> None:
    files = express(start="node server.js", build="vite build")
    files["package.json"] = package(
        dependencies={"express": "5"},
        devDependencies={"vite": "7"},
        scripts={"start": "node server.js", "build": "vite build"},
    )
    files["index.html"] = "<html>"
    found = service(files)
    assert (found.framework, found.build) == ("express", ("npm", "run", "build"))


def next_app(config: str = "", **scripts: str) -> dict[str, str]:
    return {
        "package.json": package(dependencies={"next": "16", "react": "19"}, scripts={"build": "next build", **scripts}),
        "next.config.mjs": config,
        **LOCK,
    }


def test_next_standalone_runs_its_own_server() -> None:
    found = service(next_app('// output: "export"\nexport default { output: "standalone" };', start="next start"))
    assert (found.framework, found.start, found.output) == ("nextjs", ("node", "server.js"), ".next/standalone")
    assert evidence(found, "output") == "next.config.mjs:2"


def test_next_without_an_output_mode_starts_by_its_binary() -> None:
    found = service(next_app(start="next start -p 4000"))
    assert (found.start, found.output, found.port) == (("node_modules/.bin/next", "start"), ".next", 4000)


def test_next_export_is_a_static_site() -> None:
    found = service(next_app("export default { output: 'export' }"))
    assert (found.kind, found.output, found.start, found.port) == ("static", "out", (), 8080)


@pytest.mark.parametrize(
    ("folder", "output"),
    [("_static", "_static"), ("./build/", "build"), ("../x", "out"), ("/x", "out"), (".", "out"), ("$(id)", "out")],
)
def test_next_exports_to_the_folder_that_its_configuration_sets(folder: str, output: str) -> None:
    config = f"module.exports = {{\n  output: 'export',\n  distDir: \"{folder}\",\n}}"
    found = service(next_app(config, start="serve -s _static"))
    assert (found.kind, found.output) == ("static", output)


def test_next_builds_into_the_folder_that_its_configuration_sets() -> None:
    assert service(next_app("export default { distDir: 'build' }")).output == "build"
    standalone = service(next_app("export default { output: 'standalone', distDir: 'build' }"))
    assert (standalone.output, standalone.start) == ("build/standalone", ("node", "server.js"))


def test_next_exports_where_the_build_script_says_so() -> None:
    found = service(next_app() | {"package.json": package(
        dependencies={"next": "12"}, scripts={"build": "next build && next export"})})  # fmt: skip
    assert (found.kind, found.output) == ("static", "out")


def test_a_custom_next_server_is_kept() -> None:
    assert service(next_app(start="node server.js")).start == ("node", "server.js")


def test_next_health_route_is_found_by_its_file() -> None:
    assert service(next_app() | {"src/app/api/health/route.ts": ""}).health_path == "/api/health"


def test_nest_starts_what_its_build_leaves() -> None:
    scripts = {"start": "nest start", "start:prod": "node dist/main", "build": "nest build"}
    files = {
        "package.json": package(dependencies={"@nestjs/core": "11"}, scripts=scripts),
        "src/main.ts": "await app.listen(process.env.PORT ?? 3333);",
    }
    found = service(files)
    assert (found.framework, found.start, found.port, found.output) == ("nestjs", ("node", "dist/main"), 3333, "dist")


@pytest.mark.parametrize(
    ("dev", "build", "framework", "output"),
    [
        ("vite", "vite build", "vite", "dist"),
        ("react-scripts", "react-scripts build", "create-react-app", "build"),
        ("@vue/cli-service", "vue-cli-service build", "vue-cli", "dist"),
        ("astro", "astro build", "astro", "dist"),
        ("gatsby", "gatsby build", "gatsby", "public"),
    ],
)
def test_bundlers_build_static_sites(dev: str, build: str, framework: str, output: str) -> None:
    scripts = {"build": build, "start": "vite"}
    files = {"package.json": package(devDependencies={dev: "1"}, scripts=scripts), "index.html": "", **LOCK}
    found = service(files)
    assert (found.kind, found.framework, found.output, found.port) == ("static", framework, output, 8080)
    assert (found.build, found.start) == (("npm", "run", "build"), ())


def test_the_configured_output_folder_of_vite_is_read() -> None:
    scripts = {"build": "vite build"}
    files = {
        "package.json": package(devDependencies={"vite": "7"}, scripts=scripts),
        "index.html": "",
        "vite.config.ts": "export default defineConfig({\n  build: { outDir: './public/app/' },\n})",
    }
    found = service(files)
    assert found.output == "public/app"
    assert evidence(found, "output") == "vite.config.ts:2"


def test_a_vite_library_is_not_a_site() -> None:
    files = {"package.json": package(devDependencies={"vite": "7"}, scripts={"build": "vite build"}, main="dist/x.js")}
    assert "no index.html" in reason(files)


@pytest.mark.parametrize(
    ("files", "manager", "build"),
    [
        ({"yarn.lock": ""}, "yarn", ("yarn", "run", "build")),
        ({"pnpm-lock.yaml": ""}, "pnpm", ("pnpm", "run", "build")),
        ({}, "npm", ("npm", "run", "build")),
    ],
)
def test_the_lock_file_names_the_package_manager(files: dict[str, str], manager: str, build: tuple[str, ...]) -> None:
    found = (
        service(express(start="node server.js", build="tsc") | files | {"package-lock.json": ""}) if not files else None
    )
    if found is None:
        plain = express(start="node server.js", build="tsc")
        del plain["package-lock.json"]
        found = service(plain | files)
    assert (found.package_manager, found.build) == (manager, build)


def test_the_package_manager_field_beats_the_lock_file() -> None:
    files = {"package.json": package(packageManager="pnpm@9.1.0", scripts={"start": "node a.js"}), "yarn.lock": ""}
    found = service(files)
    assert found.package_manager == "pnpm"
    assert any("no lock file of pnpm" in item for item in warnings(found))


def test_a_second_lock_file_is_warned_of() -> None:
    found = service(express(start="node server.js") | {"yarn.lock": ""})
    assert found.package_manager == "yarn"
    assert any("package-lock.json is there too" in item for item in warnings(found))


def test_a_typescript_entry_runs_from_the_folder_that_the_compiler_writes() -> None:
    files = {
        "package.json": package(dependencies={"fastify": "5"}, scripts={"build": "tsc"}),
        "tsconfig.json": '{\n // compiled\n "compilerOptions": {"outDir": "./build", "rootDir": "src",},\n}',
        "src/server.ts": "app.listen({ port: 3001 });",
    }
    found = service(files)
    assert (found.start, found.port) == (("node", "build/server.js"), 3001)


def test_code_that_listens_on_the_loopback_only_is_warned_of() -> None:
    files = express(start="node server.js") | {"server.js": "app.listen(3000, 'localhost');"}
    assert any("loopback" in item for item in warnings(service(files)))


def test_a_program_that_listens_nowhere_is_a_worker() -> None:
    files = {"package.json": package(scripts={"start": "node bot.js"}), "bot.js": "// app.listen(3000)\npoll();"}
    found = service(files)
    assert (found.kind, found.name, found.port) == ("worker", "worker", None)


def test_a_program_that_listens_is_a_server_without_a_framework() -> None:
    files = {"package.json": package(main="index.js"), "index.js": "require('http').createServer(f).listen(5005)"}
    found = service(files)
    assert (found.kind, found.framework, found.port, found.start) == ("server", None, 5005, ("node", "index.js"))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"main": "index.js"}, "a library"),
        ({"bin": {"x": "cli.js"}}, "a command-line tool"),
        ({"dependencies": {"expo": "1"}, "scripts": {"start": "expo start"}}, "a mobile app"),
        ({"devDependencies": {"electron": "1"}, "scripts": {"start": "electron ."}}, "a desktop app"),
        ({"workspaces": ["packages/*"]}, "the root of a workspace"),
        ({"devDependencies": {"vite": "7"}}, "no build script"),
    ],
)
def test_what_has_nothing_to_run_is_refused_with_a_reason(fields: dict[str, object], expected: str) -> None:
    told = reason({"package.json": package(**fields), "index.js": "module.exports = 1"})
    assert expected in told
