import type { Metadata } from "next";
import type { ReactNode } from "react";

export const metadata: Metadata = { title: "node-next", description: "A small Next.js site" };

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
