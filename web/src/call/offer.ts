// The one offer of a connection. The order of its lines is a contract with the relay: microphone,
// camera, (staff) auscultation, then five pairs to receive, then auscultation to receive.

import { SendingTerms } from "./terms";
import { Voice } from "./voice";

export const SLOTS = 5;

const LAYERS: RTCRtpEncodingParameters[] = [
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 100_000 },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 300_000 },
  { rid: "f", maxBitrate: 900_000 },
];

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
