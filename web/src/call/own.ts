// The own microphone and camera: caught, switched, caught again when they end, and put on the
// connection's lines whenever there is one.

import { type Signal, signal } from "@preact/signals";
import { catchCamera, catchMedia, type MediaFault, release } from "./devices";
import type { Lines } from "./offer";

export class Own {
  readonly stream: Signal<MediaStream | undefined> = signal(undefined);
  readonly faults: Signal<{ audio?: MediaFault; video?: MediaFault }> = signal({});
  readonly microphone = signal(true);
  readonly camera: Signal<boolean>;
  private lines: Lines | undefined;
  private wanted = false;

  constructor(private readonly video: boolean) {
    this.camera = signal(video);
  }

  /** The connection whose lines carry what is caught. */
  putOn(lines: Lines | undefined): void {
    this.lines = lines;
    if (!lines) return;
    // Switched while the connection was being made: what is caught now counts.
    void put(lines.microphone, this.stream.peek()?.getAudioTracks()[0]);
    void put(lines.camera, this.stream.peek()?.getVideoTracks()[0]);
  }

  /** Asks for the devices and keeps them until `letGo`. */
  async hold(): Promise<void> {
    this.wanted = true;
    navigator.mediaDevices?.addEventListener?.("devicechange", this.devicesChanged);
    await this.catchBoth();
  }

  letGo(): void {
    this.wanted = false;
    navigator.mediaDevices?.removeEventListener?.("devicechange", this.devicesChanged);
    release(this.stream.peek());
    this.stream.value = undefined;
  }

  /** Asks again, after the person allowed camera or microphone in the settings. */
  async askAgain(): Promise<void> {
    this.microphone.value = true;
    this.camera.value = this.video;
    await this.catchBoth();
  }

  setMicrophone(on: boolean): void {
    this.microphone.value = on;
    for (const track of this.stream.peek()?.getAudioTracks() ?? []) track.enabled = on;
  }

  async setCamera(on: boolean): Promise<void> {
    this.camera.value = on;
    const held = this.stream.peek()?.getVideoTracks()[0];
    if (!on) {
      // Letting go of it switches its light off: "off" is seen to be off.
      held?.stop();
      await this.show(this.stream.peek()?.getAudioTracks()[0], undefined);
      return;
    }
    if (held?.readyState === "live") return;
    const track = await catchCamera();
    if (typeof track === "string") {
      this.camera.value = false;
      this.faults.value = { ...this.faults.peek(), video: track };
      return;
    }
    if (!this.wanted || !this.camera.peek()) return track.stop();
    await this.show(this.stream.peek()?.getAudioTracks()[0], track);
  }

  private async catchBoth(): Promise<void> {
    release(this.stream.peek());
    const caught = await catchMedia(this.camera.peek());
    if (!this.wanted) return release(caught.stream);
    this.faults.value = {
      ...(caught.audioFault && { audio: caught.audioFault }),
      ...(caught.videoFault && { video: caught.videoFault }),
    };
    if (caught.audioFault) this.microphone.value = false;
    if (caught.videoFault) this.camera.value = false;
    await this.show(caught.stream.getAudioTracks()[0], caught.stream.getVideoTracks()[0]);
  }

  private async show(
    audio: MediaStreamTrack | undefined,
    video: MediaStreamTrack | undefined,
  ): Promise<void> {
    if (audio) {
      audio.enabled = this.microphone.peek();
      // A carrier's call ends the microphone for good: it is caught anew when that is over.
      audio.onended = () => void this.recatchMicrophone();
    }
    this.stream.value = new MediaStream([audio, video].filter((track) => track !== undefined));
    await this.lines?.microphone.replaceTrack(audio ?? null);
    await this.lines?.camera.replaceTrack(video ?? null);
  }

  private async recatchMicrophone(): Promise<void> {
    const caught = await catchMedia(false);
    const track = caught.stream.getAudioTracks()[0];
    if (!this.wanted) return release(caught.stream);
    if (!track) {
      this.faults.value = { ...this.faults.peek(), audio: caught.audioFault ?? "missing" };
      return;
    }
    await this.show(track, this.stream.peek()?.getVideoTracks()[0]);
  }

  private readonly devicesChanged = (): void => {
    const audio = this.stream.peek()?.getAudioTracks()[0];
    if (audio?.readyState === "ended") void this.recatchMicrophone();
  };
}

async function put(sender: RTCRtpSender, track: MediaStreamTrack | undefined): Promise<void> {
  if (sender.track !== (track ?? null)) await sender.replaceTrack(track ?? null);
}
