import { expect, test, vi } from "vitest";
import { spoken, Voice } from "./voice";

const TERMS = { lean: false, repeat: false, hold_ms: 0 };
const MICROPHONE =
  "m=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\na=mid:0\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n" +
  "a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n";
const CAMERA = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n";
const ANOTHER = MICROPHONE.replace("mid:0", "mid:3");
const ANSWER = `v=0\r\n${MICROPHONE}${CAMERA}${ANOTHER}`;

test("a voice is repeated only where the relay asks for it", () => {
  expect(spoken(ANSWER, { ...TERMS, repeat: true })).toBe(ANSWER);
  const plain = spoken(ANSWER, TERMS);
  expect(plain.startsWith("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=rtpmap:111 opus")).toBe(true);
  expect(plain.endsWith(CAMERA + ANOTHER), "only the microphone's line").toBe(true);
});

test("a lean voice has longer packets of fewer bits", () => {
  const lean = spoken(ANSWER, { ...TERMS, lean: true, repeat: true });
  expect(lean).toContain("a=fmtp:111 minptime=10;useinbandfec=1;maxaveragebitrate=11000\r\na=ptime:60\r\nm=video");
  expect(lean.match(/ptime:60/g)).toHaveLength(1);
});

test("an answer without sound is left alone", () => {
  expect(spoken(`v=0\r\n${CAMERA}`, TERMS)).toBe(`v=0\r\n${CAMERA}`);
});

function fakePeer() {
  const answers: string[] = [];
  const peer = {
    signalingState: "stable" as RTCSignalingState,
    createOffer: vi.fn(async () => ({ type: "offer", sdp: "v=0\r\n" })),
    setLocalDescription: vi.fn(async () => undefined),
    setRemoteDescription: vi.fn(async ({ sdp }: { sdp: string }) => void answers.push(sdp)),
  };
  return { peer, answers };
}

test("other terms take the same answer anew, and not while another one is awaited", async () => {
  const { peer, answers } = fakePeer();
  const receiver = { jitterBufferTarget: null };
  const voice = new Voice(peer as never, [receiver] as never);
  await voice.answered(ANSWER);
  voice.follow({ ...TERMS, hold_ms: 60 });
  await voice.settled();
  expect(receiver.jitterBufferTarget).toBe(60);
  expect(answers, "holding needs no other answer").toHaveLength(1);
  voice.follow({ ...TERMS, repeat: true });
  await voice.settled();
  expect(answers[1]).toBe(ANSWER);
  expect(receiver.jitterBufferTarget).toBeNull();
  peer.signalingState = "have-local-offer";
  voice.follow();
  await voice.settled();
  expect(answers).toHaveLength(2);
  await voice.answered(ANSWER);
  expect(answers[2]?.split("m=video")[0]).not.toContain("red/48000");
});

test("where the own line has no room a voice is lean and repeated, until the relay has said how", async () => {
  const { peer, answers } = fakePeer();
  const voice = new Voice(peer as never, [] as never);
  await voice.answered(ANSWER);
  voice.makeRoom(true);
  await voice.settled();
  expect(answers[1]).toBe(spoken(ANSWER, { ...TERMS, lean: true, repeat: true }));
  voice.follow({ ...TERMS, lean: true });
  await voice.settled();
  expect(answers[2]).toBe(spoken(ANSWER, { ...TERMS, lean: true }));
});
