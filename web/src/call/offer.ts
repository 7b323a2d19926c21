// The one offer of a connection. The order of its lines is a contract with the relay: microphone,
// camera, (staff) auscultation, then five pairs to receive, then auscultation to receive.

import { SendingTerms } from "./terms";
import { Voice } from "./voice";

export const SLOTS = 5;

/** WebRTC Extensions: the largest picture of an encoding, whichever way it stands. */
interface SizedEncoding extends RTCRtpEncodingParameters {
  scaleResolutionDownTo: { maxWidth: number; maxHeight: number };
}

/** Of a camera of less than 960x540 Chromium sends only two of three encodings, the largest never,
 * unless each has a size of its own. A browser that does not know sizes takes the factors. */
const LAYERS: SizedEncoding[] = [
  { rid: "q", ...downTo(160, 120), scaleResolutionDownBy: 4, maxBitrate: 100_000 },
  { rid: "h", ...downTo(320, 240), scaleResolutionDownBy: 2, maxBitrate: 300_000 },
  { rid: "f", ...downTo(640, 480), maxBitrate: 900_000 },
];

function downTo(maxWidth: number, maxHeight: number): Pick<SizedEncoding, "scaleResolutionDownTo"> {
  return { scaleResolutionDownTo: { maxWidth, maxHeight } };
}

export interface Lines {
  peer: RTCPeerConnection;
  slotsChannel: RTCDataChannel;
  wavesChannel: RTCDataChannel;
  stillsChannel: RTCDataChannel;
  microphone: RTCRtpSender;
  camera: RTCRtpSender;
  /** Only staff send auscultation. */
  stethoscope: RTCRtpSender | undefined;
  slots: { audio: RTCRtpReceiver; video: RTCRtpReceiver }[];
  auscultation: RTCRtpReceiver;
  voice: Voice;
  /** What of the own voice and picture is sent. */
  terms: SendingTerms;
}

export function openLines(staff: boolean, stream: MediaStream, iceServers: RTCIceServer[]): Lines {
  const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers });
  const slotsChannel = peer.createDataChannel("slots");
  const wavesChannel = peer.createDataChannel("waves", { ordered: false, maxRetransmits: 0 });
  wavesChannel.binaryType = "arraybuffer";
  // A piece is sent again, so that a still survives a lossy line, but not for ever.
  const stillsChannel = peer.createDataChannel("stills", { ordered: false, maxRetransmits: 2 });
  stillsChannel.binaryType = "arraybuffer";
  const microphone = peer.addTransceiver(stream.getAudioTracks()[0] ?? "audio", {
    direction: "sendonly",
  });
  const camera = peer.addTransceiver(stream.getVideoTracks()[0] ?? "video", {
    direction: "sendonly",
    sendEncodings: LAYERS,
  });
  const stethoscope = staff
    ? peer.addTransceiver("audio", { direction: "sendonly" }).sender
    : undefined;
  const slots = Array.from({ length: SLOTS }, () => ({
    audio: peer.addTransceiver("audio", { direction: "recvonly" }).receiver,
    video: peer.addTransceiver("video", { direction: "recvonly" }).receiver,
  }));
  const voice = new Voice(
    peer,
    slots.map((slot) => slot.audio),
  );
  const auscultation = peer.addTransceiver("audio", { direction: "recvonly" }).receiver;
  return {
    peer,
    slotsChannel,
    wavesChannel,
    stillsChannel,
    microphone: microphone.sender,
    camera: camera.sender,
    stethoscope,
    slots,
    auscultation,
    voice,
    terms: new SendingTerms(voice, camera.sender),
  };
}
