// 医師を呼ぶ決まり: set, changed and taken away, each with who and when.

import { useId, useState } from "preact/hooks";
import type { KitRow, KitRuleRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { common } from "../words/common";
import { dayAndTime, kit as words, ruleWords, watchedName } from "../words/kit";
import { Button, Card, Choices, Field } from "../ui/controls";
import { usePress } from "../ui/press";
import {
  asksHours,
  asksNumber,
  EMPTY_RULE,
  KINDS,
  type RuleTexts,
  ruleOf,
  textsOfRule,
  unitOf,
  WATCHED,
} from "./rule-form";

interface RulesProps {
  wire: Wire;
  row: KitRow;
}

/** Which rule the form is about: a new one, or one that is replaced. */
type Editing = { readonly replaces: number | null; readonly texts: RuleTexts };

export function Rules({ wire, row }: RulesProps) {
  const [editing, setEditing] = useState<Editing | undefined>();
  const standing = row.rules.filter(({ taken }) => taken === null);
  const were = row.rules.filter(({ taken }) => taken !== null).reverse();
  return (
    <Card title={words("rules")} class="kit-rules">
      {standing.length === 0 && <p class="banner lamp">{words("rules_none")}</p>}
      <ul class="stack">
        {standing.map((rule) => (
          <li key={rule.rule} data-rule={rule.rule}>
            <Standing
              wire={wire}
              row={row}
              rule={rule}
              onChange={() => setEditing({ replaces: rule.rule, texts: textsOfRule(rule.is) })}
            />
          </li>
        ))}
      </ul>
      {editing ? (
        <Form
          key={editing.replaces ?? "new"}
          wire={wire}
          row={row}
          editing={editing}
          onDone={() => setEditing(undefined)}
        />
      ) : (
        <Button
          kind="primary"
          onClick={() => setEditing({ replaces: null, texts: EMPTY_RULE })}
          data-act="rule-add"
        >
          ＋ {words("rule_add")}
        </Button>
      )}
      {were.length > 0 && (
        <details class="fold">
          <summary>{words("rules_were")}</summary>
          <ul class="stack">
            {were.map((rule) => (
              <li key={rule.rule} class="soft">
                {ruleWords(rule.is)} <span class="small">{historyWords(rule)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </Card>
  );
}

interface StandingProps extends RulesProps {
  rule: KitRuleRow;
  onChange(): void;
}

function Standing({ wire, row, rule, onChange }: StandingProps) {
  const [press, busy] = usePress(wire);
  return (
    <div class="stack rule">
      <strong>{ruleWords(rule.is)}</strong>
      <span class="small soft">{historyWords(rule)}</span>
      {rule.fired !== null && (
        <span class="chip lamp">
          {words(rule.is.type === "missing" ? "rule_missed" : "rule_fired", {
            time: dayAndTime(rule.fired),
          })}
        </span>
      )}
      {rule.due !== null && (
        <span class="small">{words("rule_due", { time: dayAndTime(rule.due) })}</span>
      )}
      <div class="row">
        <Button onClick={onChange} data-act="rule-change">
          {words("rule_change")}
        </Button>
        <Button
          kind="quiet"
          disabled={busy}
          data-act="rule-take"
          onClick={() => void press({ type: "take_kit_rule", kit: row.kit, rule: rule.rule })}
        >
          {words("rule_take")}
        </Button>
      </div>
    </div>
  );
}

function historyWords({ by, since, taken }: KitRuleRow): string {
  const set = words("rule_by_since", { by, date: dayAndTime(since) });
  if (!taken) return set;
  return `${set} → ${words("rule_taken_by", { by: taken[0], date: dayAndTime(taken[1]) })}`;
}

interface FormProps extends RulesProps {
  editing: Editing;
  onDone(): void;
}

function Form({ wire, row, editing, onDone }: FormProps) {
  const [texts, setTexts] = useState(editing.texts);
  const [tried, setTried] = useState(false);
  const [press, busy] = usePress(wire);
  const form = ruleOf(texts);
  const wrong = tried && form.state === "wrong" ? form : undefined;
  const say = (part: Partial<RuleTexts>) => setTexts({ ...texts, ...part });
  const set = async (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (form.state !== "ready") return;
    const { replaces } = editing;
    const outcome = await press({ type: "set_kit_rule", kit: row.kit, is: form.rule, replaces });
    if (outcome) onDone();
  };
  return (
    <form class="stack rule-form" onSubmit={set} novalidate>
      <What value={texts.what} onValue={(what) => say({ what })} />
      <Choices
        label={words("rule_kind")}
        value={texts.kind}
        onValue={(kind) => say({ kind })}
        options={KINDS.map((kind) => ({ value: kind, text: words(`rule_kind_${kind}`) }))}
      />
      {asksNumber(texts.kind) && (
        <Field
          label={`${words(texts.kind === "changed" ? "rule_by" : "rule_limit")}（${unitOf(texts.what)}）`}
          name="rule-number"
          inputMode="text"
          autocomplete="off"
          maxLength={8}
          value={texts.number}
          onValue={(number) => say({ number })}
          wrong={wrong?.number ? words("rule_wrong_number") : undefined}
        />
      )}
      {asksHours(texts.kind) && (
        <Field
          label={`${words("rule_within")}（${words("rule_hours")}）`}
          name="rule-hours"
          inputMode="text"
          autocomplete="off"
          maxLength={5}
          value={texts.hours}
          onValue={(hours) => say({ hours })}
          wrong={wrong?.hours ? words("rule_wrong_hours") : undefined}
        />
      )}
      {form.state === "ready" && (
        <p class="banner" role="status">
          {ruleWords(form.rule)}
        </p>
      )}
      <div class="row">
        <Button kind="quiet" onClick={onDone}>
          {common("cancel")}
        </Button>
        <Button type="submit" kind="primary" size="big" disabled={busy} data-act="rule-set">
          {words("rule_set")}
        </Button>
      </div>
    </form>
  );
}

interface WhatProps {
  value: RuleTexts["what"];
  onValue(what: RuleTexts["what"]): void;
}

function What({ value, onValue }: WhatProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{words("rule_what")}</label>
      <select
        id={id}
        name="rule-what"
        value={value}
        onChange={(event) => {
          const chosen = WATCHED.find((what) => what === event.currentTarget.value);
          if (chosen) onValue(chosen);
        }}
      >
        {WATCHED.map((what) => (
          <option key={what} value={what}>
            {watchedName(what)}
          </option>
        ))}
      </select>
    </div>
  );
}
