import { expect, test } from "vitest";
import { iceServers } from "./ice-servers";

const PASS = { urls: ["turn:192.0.2.1:3478?transport=udp"], same_door: true, username: "1:a", credential: "b" };

test("a page that came by HTTPS asks for TURN by the same door too", () => {
  const page = { protocol: "https:", hostname: "minato.example", port: "" };
  expect(iceServers(PASS, page)).toEqual([
    { urls: [...PASS.urls, "turns:minato.example:443?transport=tcp"], username: "1:a", credential: "b" },
  ]);
});

test("a page that came without TLS has no such door", () => {
  const page = { protocol: "http:", hostname: "127.0.0.1", port: "8080" };
  expect(iceServers(PASS, page)[0]?.urls).toEqual(PASS.urls);
  expect(iceServers({ ...PASS, urls: [] }, page)).toEqual([]);
});

test("without TURN the page has no servers to ask", () => {
  expect(iceServers(undefined, { protocol: "https:", hostname: "a", port: "" })).toEqual([]);
});
