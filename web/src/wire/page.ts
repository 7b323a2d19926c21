// The one wire of this page, and what tests may take hold of.

import { Wire } from "./wire";

export const wire = new Wire();
