import { connection } from "next/server";

const VERSION = "v1";

export default async function Page() {
  // GREETING belongs to the running container, not to the build.
  await connection();
  const greeting = process.env.GREETING ?? "Hello";
  return (
    <main>
      <h1>node-next</h1>
      <p>{`${greeting} from node-next ${VERSION}`}</p>
    </main>
  );
}
