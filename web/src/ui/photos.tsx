// The pictures beside a value, opened by whoever doubts a digit.

import { useState } from "preact/hooks";
import { photoAddress } from "../wire/photo";
import type { ReadingRow } from "../wire/types";
import { common, timeOfDay } from "../words/common";
import { measuredAt } from "../wire/vitals";
import { valuesOf } from "../words/marks";
import { Button } from "./controls";
import { Dialog } from "./dialog";
import "./photo.css";

/** `slim` where a mouse presses it. */
export function Photos({ row, slim }: { row: ReadingRow; slim?: boolean }) {
  const [shown, setShown] = useState(false);
  // A broker of before there were pictures says nothing of them.
  if (!row.photos?.length) return null;
  return (
    <>
      <Button size={slim ? "slim" : "normal"} data-act="see-photo" onClick={() => setShown(true)}>
        {common("photo_see")}
      </Button>
      {shown && (
        <Dialog
          title={common("photo_title", { value: valuesOf(row), time: timeOfDay(measuredAt(row)) })}
          onClose={() => setShown(false)}
          cancel={common("close")}
        >
          {row.photos.map((photo) => (
            <Picture key={photo} photo={photo} />
          ))}
        </Dialog>
      )}
    </>
  );
}

function Picture({ photo }: { photo: string }) {
  const [failed, setFailed] = useState(false);
  if (failed) return <p role="alert">{common("photo_not_shown")}</p>;
  return (
    <img class="photo" src={photoAddress(photo)} alt={common("photo_alt")} onError={() => setFailed(true)} />
  );
}
