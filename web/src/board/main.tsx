// The coordinator's page: the white board with magnets, live.

import { render } from "preact";
import "../ui/staff.css";
import "../ui/desk.css";
import "./board.css";
import "./dialogs.css";
import { wire } from "../wire/page";
import { App } from "./app";

const root = document.getElementById("app");
if (root) render(<App wire={wire} />, root);
