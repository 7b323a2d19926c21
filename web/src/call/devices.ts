// Camera and microphone: asked for in one place, and every way in which that fails has a name.

/** Why there is no sound or picture from this device. Browsers name the same thing differently. */
export type MediaFault =
  /** The person or a rule said no. */
  | "denied"
  /** There is no such device. */
  | "missing"
  /** Another program holds it. */
  | "taken"
  /** This browser cannot do it at all: often a browser inside another app. */
  | "unable";

export interface Caught {
  stream: MediaStream;
  /** Absent when it works. */
  audioFault?: MediaFault;
  videoFault?: MediaFault;
}

const AUDIO: MediaTrackConstraints = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
};
/** A chestpiece: whatever makes a voice clearer takes away what a heart sounds like. */
const CHEST: MediaTrackConstraints = {
  echoCancellation: false,
  noiseSuppression: false,
  autoGainControl: false,
  channelCount: { ideal: 2 },
  sampleRate: { ideal: 48_000 },
};
const VIDEO: MediaTrackConstraints = {
  width: { ideal: 640 },
  height: { ideal: 360 },
  frameRate: { ideal: 24, max: 30 },
  facingMode: "user",
};

export function faultOf(error: unknown): MediaFault {
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "taken";
    default:
      return "unable";
  }
}

async function ask(constraints: MediaStreamConstraints): Promise<MediaStream | MediaFault> {
  // Absent without https, and in some browsers inside other apps.
  if (!navigator.mediaDevices?.getUserMedia) return "unable";
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    return faultOf(error);
  }
}

/** Both with one question; if that fails each alone, since sound alone is worth a visit. */
export async function catchMedia(wantVideo: boolean): Promise<Caught> {
  if (wantVideo) {
    const both = await ask({ audio: AUDIO, video: VIDEO });
    if (typeof both !== "string") return { stream: both };
  }
  const stream = new MediaStream();
  const caught: Caught = { stream };
  const audio = await ask({ audio: AUDIO });
  if (typeof audio === "string") caught.audioFault = audio;
  else for (const track of audio.getTracks()) stream.addTrack(track);
  if (!wantVideo) return caught;
  const video = await ask({ video: VIDEO });
  if (typeof video === "string") caught.videoFault = video;
  else for (const track of video.getTracks()) stream.addTrack(track);
  return caught;
}

/** A camera picture alone, for when it is switched on during the call. */
export async function catchCamera(): Promise<MediaStreamTrack | MediaFault> {
  const video = await ask({ video: VIDEO });
  return typeof video === "string" ? video : (video.getVideoTracks()[0] ?? "missing");
}

/** The sound of a stethoscope, from this input or the browser's own choice. */
export async function catchChest(input: string | undefined): Promise<MediaStream | MediaFault> {
  const caught = await ask({ audio: input ? { ...CHEST, deviceId: { exact: input } } : CHEST });
  if (typeof caught === "string") return caught;
  // Not a voice: nothing may be left out of it.
  for (const track of caught.getAudioTracks()) track.contentHint = "music";
  return caught;
}

export function release(stream: MediaStream | undefined): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
