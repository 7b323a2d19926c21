// コードを読む: the camera where the browser reads codes, else the keyboard. Loaded when pressed.

import { useState } from "preact/hooks";
import { nurse } from "../words/nurse";
import { Button } from "../ui/controls";

interface ScanProps {
  /** What was read or typed, once. */
  onText(text: string): void;
}

export function ScanButton({ onText }: ScanProps) {
  const [dialog, setDialog] = useState<typeof import("./scan") | undefined>();
  const open = () => void import("./scan").then(setDialog);
  return (
    <>
      <Button onClick={open} data-act="scan">
        {nurse("scan")}
      </Button>
      {dialog && (
        <dialog.Scan
          onClose={() => setDialog(undefined)}
          onText={(text) => {
            setDialog(undefined);
            onText(text);
          }}
        />
      )}
    </>
  );
}
