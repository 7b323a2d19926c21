// Shows the own picture and whether a voice arrives, in plain words, and lets go of both.

import { useEffect, useRef, useState } from "preact/hooks";
import { type Caught, catchMedia, release } from "../call/devices";
import { common } from "../words/common";
import { patient } from "../words/patient";
import { Button } from "../ui/controls";
import { OtherBrowser } from "./other-browser";

/** Louder than the hiss of a quiet room. */
const VOICE_LEVEL = 0.03;

/** `onDone(true)` when a voice can be heard with it, `false` when it was closed without. */
export function Check({ onDone }: { onDone(works: boolean): void }) {
  const [caught, setCaught] = useState<Caught>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    let over = false;
    let held: MediaStream | undefined;
    void catchMedia(true).then((got) => {
      held = got.stream;
      if (over) release(held);
      else setCaught(got);
    });
    return () => {
      over = true;
      release(held);
    };
  }, [round]);
  if (!caught) return <p role="status">{patient("check_asking")}</p>;
  const { audioFault, videoFault } = caught;
  const again = () => {
    setCaught(undefined);
    setRound(round + 1);
  };
  return (
    <div class="stack check">
      {!videoFault && <Mirror stream={caught.stream} />}
      <p>{videoFault ? common(`fault_video_${videoFault}`) : patient("check_camera_good")}</p>
      {audioFault ? <p>{common(`fault_audio_${audioFault}`)}</p> : <Voice stream={caught.stream} />}
      {videoFault && !audioFault && <p>{patient("check_voice_only")}</p>}
      {(audioFault === "unable" || videoFault === "unable") && <OtherBrowser />}
      <div class="row">
        {(audioFault || videoFault) && <Button onClick={again}>{common("retry")}</Button>}
        <Button kind="primary" onClick={() => onDone(!audioFault)}>
          {audioFault ? common("close") : patient("check_done")}
        </Button>
      </div>
    </div>
  );
}

function Mirror({ stream }: { stream: MediaStream }) {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (element.current) element.current.srcObject = stream;
  }, [stream]);
  return <video ref={element} class="mirror" autoplay playsInline muted aria-label={common("you")} />;
}

/** How loud it is now, 0 to 1. */
function loudness(analyser: AnalyserNode, samples: Uint8Array<ArrayBuffer>): number {
  analyser.getByteTimeDomainData(samples);
  const far = samples.reduce((most, sample) => Math.max(most, Math.abs(sample - 128)), 0);
  return far / 128;
}

function Voice({ stream }: { stream: MediaStream }) {
  const bar = useRef<HTMLSpanElement>(null);
  const [heard, setHeard] = useState(false);
  useEffect(() => {
    const audio = new AudioContext();
    const analyser = audio.createAnalyser();
    audio.createMediaStreamSource(stream).connect(analyser);
    const samples = new Uint8Array(analyser.fftSize);
    let frame = 0;
    const look = () => {
      const level = loudness(analyser, samples);
      bar.current?.style.setProperty("--level", String(Math.min(1, level * 3)));
      if (level > VOICE_LEVEL) setHeard(true);
      frame = requestAnimationFrame(look);
    };
    look();
    return () => {
      cancelAnimationFrame(frame);
      void audio.close();
    };
  }, [stream]);
  return (
    <>
      <p role="status">{patient(heard ? "check_microphone_good" : "check_microphone_try")}</p>
      <span ref={bar} class="level" aria-hidden="true" />
    </>
  );
}
