// The doctor's page: on duty, next patient, the visit with live vitals, and the next one.

import { render } from "preact";
import "../ui/staff.css";
import "../ui/desk.css";
import "./doctor.css";
import { wire } from "../wire/page";
import { App } from "./app";

const root = document.getElementById("app");
if (root) render(<App wire={wire} />, root);
