// The one thing about an offer that browsers have no setting for: lost sound may be asked for again.

/** `a=rtcp-fb:… nack` for Opus on every line that only sends; what comes from the relay is mended
 * by redundancy instead, because the relay does not send sound twice. */
export function withAudioNack(sdp: string): string {
  const [head = "", ...lines] = sdp.split(/^(?=m=)/m);
  return head + lines.map((line) => (asks(line) ? ask(line) : line)).join("");
}

const asks = (line: string) => line.startsWith("m=audio") && /^a=sendonly\s*$/m.test(line);

function ask(line: string): string {
  const opus = /^a=rtpmap:(\d+) opus\/48000\/2\s*$/m.exec(line)?.[1];
  if (!opus || new RegExp(`^a=rtcp-fb:${opus} nack\\s*$`, "m").test(line)) return line;
  return line.replace(new RegExp(`^(a=rtpmap:${opus} [^\\r\\n]*)(\\r?\\n)`, "m"), `$1$2a=rtcp-fb:${opus} nack$2`);
}

/** Makes the offer and takes it as the own side's; a browser that takes no changed one gets its own. */
export async function describe(peer: RTCPeerConnection): Promise<string> {
  const offer = await peer.createOffer();
  const sdp = withAudioNack(offer.sdp ?? "");
  await peer.setLocalDescription({ type: "offer", sdp }).catch(() => peer.setLocalDescription(offer));
  return peer.localDescription?.sdp ?? "";
}
