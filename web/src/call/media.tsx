// A <video> or <audio> that plays a stream, or says that it needs a tap.

import { useEffect, useRef } from "preact/hooks";
import type { Call } from "./call";

interface PictureProps {
  /** Absent for the own picture, which is never heard. */
  call?: Call;
  stream: MediaStream;
  shown: boolean;
  label: string;
  own?: boolean;
}

function play(element: HTMLMediaElement, call: Call | undefined): void {
  const again = () => void element.play().catch(() => undefined);
  element.play().catch((error: unknown) => {
    // Anything else (the element left the page) is no reason to ask for a tap.
    if (error instanceof DOMException && error.name === "NotAllowedError") call?.hearing.blocked(again);
  });
}

export function Picture({ call, stream, shown, label, own }: PictureProps) {
  const element = useRef<HTMLVideoElement>(null);
  const silent = own || call?.hearing.speaker.value === false;
  useEffect(() => {
    const video = element.current;
    if (!video) return;
    if (video.srcObject !== stream) video.srcObject = stream;
    play(video, call);
  }, [stream]);
  return (
    // The sound goes on while the picture is hidden: it is made invisible, not taken away.
    <video
      ref={element}
      class={shown ? "" : "unseen-picture"}
      aria-label={label}
      autoplay
      playsInline
      muted={silent}
    />
  );
}

/** Auscultation: its loudness is its own, so that a heart can be loud beside a voice. */
export function Sound({ call, stream }: { call: Call; stream: MediaStream }) {
  const element = useRef<HTMLAudioElement>(null);
  const volume = call.hearing.chestVolume.value;
  useEffect(() => {
    if (element.current) element.current.volume = volume;
  }, [volume]);
  useEffect(() => {
    const audio = element.current;
    if (!audio) return;
    audio.srcObject = stream;
    play(audio, call);
  }, [stream]);
  return <audio ref={element} autoplay muted={!call.hearing.speaker.value} />;
}
