// A picture of the display beside typed values: taken with the camera, looked at, sent after them.

import { useEffect, useId, useState } from "preact/hooks";
import { following, shrink } from "../wire/photo";
import { sentence } from "../words/codes";
import { common } from "../words/common";
import { Button } from "./controls";
import "./photo.css";

interface FieldProps {
  photo: Blob | undefined;
  onPhoto(photo: Blob | undefined): void;
}

export function PhotoField({ photo, onPhoto }: FieldProps) {
  const id = useId();
  const [state, setState] = useState<"idle" | "busy" | "none">("idle");
  const take = async (input: HTMLInputElement) => {
    const file = input.files?.[0];
    // The same file may be chosen again.
    input.value = "";
    if (!file) return;
    setState("busy");
    const made = await shrink(file);
    setState(made ? "idle" : "none");
    if (made) onPhoto(made);
  };
  return (
    <div class="photo-field">
      {photo && <Preview photo={photo} />}
      <div class="row">
        <label class="button calm" for={id}>
          {common(photo ? "photo_retake" : "photo_take")}
        </label>
        <input
          id={id}
          class="photo-input"
          type="file"
          name="photo"
          accept="image/*"
          capture="environment"
          onChange={(event) => void take(event.currentTarget)}
        />
        {photo && (
          <Button kind="quiet" onClick={() => onPhoto(undefined)} data-act="photo-remove">
            {common("photo_remove")}
          </Button>
        )}
      </div>
      <span class="small soft" role="status">
        {state === "busy" ? common("wait_moment") : state === "none" ? sentence("photo_unfit") : common("photo_means")}
      </span>
    </div>
  );
}

function Preview({ photo }: { photo: Blob }) {
  const [address, setAddress] = useState<string | undefined>();
  useEffect(() => {
    const made = URL.createObjectURL(photo);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [photo]);
  return address ? <img class="photo-small" src={address} alt={common("photo_alt")} /> : null;
}

/** Pictures that are not with the broker yet; their values are. */
export function PhotosUnderWay({ ticket }: { ticket: string }) {
  const own = following.value.filter((one) => one.ticket === ticket);
  if (own.length === 0) return null;
  return (
    <ul class="stack" aria-live="polite">
      {own.map((one, index) => (
        <li key={index} class="row" data-photo={one.way.value}>
          {one.way.value === "sending" ? (
            <span class="chip lamp">{common("photo_sending")}</span>
          ) : (
            <>
              <span>
                {common("photo_failed")} {one.code.value && sentence(one.code.value)}
              </span>
              <Button data-act="photo-again" onClick={() => one.again()}>
                {common("photo_again")}
              </Button>
              <Button kind="quiet" data-act="photo-give-up" onClick={() => one.giveUp()}>
                {common("photo_give_up")}
              </Button>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}
