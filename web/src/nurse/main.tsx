// The nurse's page.

import { render } from "preact";
import { wire } from "../wire/page";
import { nurse } from "../words/nurse";
import { StaffDoor } from "../ui/sign-in";
import { App } from "./app";
import "../ui/staff.css";
import "./nurse.css";

function Page() {
  return (
    <StaffDoor role="nurse" title={nurse("title")} wire={wire} anew>
      <App wire={wire} />
    </StaffDoor>
  );
}

const app = document.getElementById("app");
if (app) render(<Page />, app);
