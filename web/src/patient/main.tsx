// The patient's page: small until the patient is in, the rest follows.

import { render } from "preact";
import { Patient } from "./patient";
import "../ui/base.css";
import "./patient.css";

const app = document.getElementById("app");
if (app) render(<Patient />, app);
