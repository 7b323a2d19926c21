// The one wire of this page.

import { Wire } from "./wire";

export const wire = new Wire();
