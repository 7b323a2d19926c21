// Reads a code with the camera where the browser can, and takes a typed one everywhere.

import { useEffect, useRef, useState } from "preact/hooks";
import { common } from "../words/common";
import { nurse } from "../words/nurse";
import { Button, Field } from "../ui/controls";
import { Dialog } from "../ui/dialog";

/** So often the picture is looked at. */
const LOOK_MS = 250;
const FORMATS = ["qr_code", "code_128", "code_39", "ean_13", "data_matrix"];

/** Barcode Detection API; not every browser has it. */
interface Detector {
  detect(image: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}
type DetectorMaker = new (options: { formats: string[] }) => Detector;

async function makeDetector(): Promise<Detector | undefined> {
  const maker = (globalThis as { BarcodeDetector?: DetectorMaker & { getSupportedFormats(): Promise<string[]> } })
    .BarcodeDetector;
  if (!maker || !navigator.mediaDevices) return undefined;
  const known = await maker.getSupportedFormats().catch((): string[] => []);
  const formats = FORMATS.filter((format) => known.includes(format));
  return formats.length > 0 ? new maker({ formats }) : undefined;
}

interface ScanProps {
  onText(text: string): void;
  onClose(): void;
}

export function Scan({ onText, onClose }: ScanProps) {
  const video = useRef<HTMLVideoElement>(null);
  const [sees, setSees] = useState<"asking" | "camera" | "keyboard">("asking");
  const [typed, setTyped] = useState("");
  useEffect(() => {
    const look = lookThrough(video, setSees, onText);
    return look;
  }, []);
  const take = (event?: Event) => {
    event?.preventDefault();
    if (typed.trim()) onText(typed.trim());
  };
  return (
    <Dialog
      title={nurse("scan")}
      onClose={onClose}
      actions={
        <Button kind="primary" disabled={!typed.trim()} onClick={() => take()} data-act="scan-do">
          {nurse("scan_do")}
        </Button>
      }
    >
      <p role="status">
        {sees === "asking" ? common("wait_moment") : nurse(sees === "camera" ? "scan_camera" : "scan_keyboard")}
      </p>
      <video ref={video} class="scan" hidden={sees !== "camera"} muted playsInline />
      <form onSubmit={take}>
        <Field
          label={nurse("scan_code")}
          value={typed}
          onValue={setTyped}
          autocomplete="off"
          maxLength={64}
          name="scanned"
        />
      </form>
    </Dialog>
  );
}

/** Looks until a code is read or the returned function is called; the camera goes dark then. */
function lookThrough(
  video: { readonly current: HTMLVideoElement | null },
  onSees: (sees: "camera" | "keyboard") => void,
  onText: (text: string) => void,
): () => void {
  let over = false;
  let stream: MediaStream | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  const stop = () => {
    over = true;
    clearInterval(timer);
    for (const track of stream?.getTracks() ?? []) track.stop();
  };
  const begin = async () => {
    const detector = await makeDetector();
    if (!detector || over) return onSees("keyboard");
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    const picture = video.current;
    if (over || !picture) return stop();
    picture.srcObject = stream;
    await picture.play();
    onSees("camera");
    timer = setInterval(() => {
      // A picture that is not ready yet is looked at again.
      void detector.detect(picture).then(
        ([found]) => {
          if (!found || over) return;
          stop();
          onText(found.rawValue);
        },
        () => undefined,
      );
    }, LOOK_MS);
  };
  begin().catch(() => {
    if (!over) onSees("keyboard");
  });
  return stop;
}
