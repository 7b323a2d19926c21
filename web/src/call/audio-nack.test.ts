import { expect, test } from "vitest";
import { withAudioNack } from "./audio-nack";

const line = (kind: string, direction: string, codec: string) =>
  [`m=${kind} 9 UDP/TLS/RTP/SAVPF 111`, `a=${direction}`, `a=rtpmap:111 ${codec}`, "a=rtcp-fb:111 transport-cc", ""].join("\r\n");
const offer = (...lines: string[]) => `v=0\r\ns=-\r\n${lines.join("")}`;

test("lost sound of this page may be asked for again", () => {
  const asked = withAudioNack(offer(line("audio", "sendonly", "opus/48000/2")));
  expect(asked).toContain("a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 nack\r\na=rtcp-fb:111 transport-cc\r\n");
});

test("lines that receive, and pictures, stay as they are", () => {
  const sdp = offer(line("audio", "recvonly", "opus/48000/2"), line("video", "sendonly", "VP8/90000"));
  expect(withAudioNack(sdp)).toBe(sdp);
});

test("asked twice is asked once", () => {
  const once = withAudioNack(offer(line("audio", "sendonly", "opus/48000/2")));
  expect(withAudioNack(once)).toBe(once);
});
