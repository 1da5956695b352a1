-- German.

SELECT dunning._ship_templates('de',
$$ {
    "hello": "{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}",
    "dear": "{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}",
    "hello_sms": "{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}",
    "due": "fällig am",
    "also": "In einer anderen Währung sind außerdem offen:",
    "pay": "Hier bezahlen",
    "account": "Sie können auf das Konto {{creditor_account}} überweisen.",
    "already": "Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!",
    "plan_email": "Wenn Sie nicht alles auf einmal bezahlen können, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}. Wir finden eine Lösung, die passt.",
    "plan_letter": "Wenn Sie nicht alles auf einmal bezahlen können, {{#creditor_phone}}rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schreiben Sie uns{{/creditor_phone}}. Wir finden eine Lösung, die passt.",
    "already_sms": "Bereits bezahlt? Dann ist alles erledigt.",
    "plan_sms": "Ratenzahlung? {{#creditor_phone}}Tel. {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Sprechen Sie uns an{{/creditor_phone}}",
    "regards": "Freundliche Grüße",
    "call_who": "Fragen Sie nach {{name}} und vergewissern Sie sich, dass es die richtige Person ist, bevor Sie sagen, worum es geht. Sagen Sie, dass Sie für {{creditor_name}} anrufen.",
    "call_ask": "Fragen Sie, ob die Zahlung unterwegs ist. Wenn bezahlt wurde, notieren Sie, wann und wie.",
    "call_plan": "Wenn es jetzt nicht geht, fragen Sie, was möglich wäre, und vereinbaren Sie einen Termin oder Raten.",
    "call_end": "Bedanken Sie sich und notieren Sie, was vereinbart wurde."
} $$,
$$ [
    {
        "template": "pre-due",
        "subject": "{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} fällig am {{due_on | date}}",
        "opening": "nur zur Erinnerung vorab: {{amount | money}} an {{creditor_name}} sind am {{due_on | date}} fällig.",
        "nudge": {
            "neutral": "Mit der Zahlung bis dahin ist alles getan.",
            "loss_aversion": "Wenn Sie bis dahin bezahlen, ist alles erledigt und es folgen keine Erinnerungen."},
        "sms": {
            "neutral": "zur Erinnerung vorab: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind am {{due_on | date}} fällig.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind am {{due_on | date}} fällig. Bei Zahlung bis dahin folgen keine Erinnerungen."}
    },
    {
        "template": "reminder-1",
        "subject": "{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} noch offen",
        "opening": "vielleicht ist es Ihnen entgangen: {{amount | money}} an {{creditor_name}} waren am {{due_on | date}} fällig und sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen.",
        "nudge": {
            "neutral": "Es würde uns helfen, wenn Sie in den nächsten Tagen bezahlen könnten.",
            "loss_aversion": "Wenn Sie jetzt bezahlen, ist alles erledigt und Sie erhalten keine weiteren Erinnerungen."},
        "sms": {
            "neutral": "eine Erinnerung: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen. Bei Zahlung jetzt folgen keine weiteren Erinnerungen."}
    },
    {
        "template": "reminder-2",
        "subject": "{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}{{amount | money}} an {{creditor_name}} seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen",
        "opening": "wir haben {{amount | money}} an {{creditor_name}} noch nicht erhalten. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.",
        "nudge": {
            "neutral": "Bitte bezahlen Sie jetzt oder sagen Sie uns, was dem im Weg steht.",
            "loss_aversion": "Wenn Sie jetzt bezahlen, ist die Sache erledigt, bevor sie Sie noch mehr Zeit kostet. Steht etwas im Weg, sagen Sie es uns."},
        "sms": {
            "neutral": "wir haben {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} noch nicht erhalten, seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen. Mit Ihrer Zahlung ist die Sache erledigt."}
    },
    {
        "template": "final-notice",
        "subject": "{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}letzte Erinnerung, {{amount | money}} an {{creditor_name}}",
        "opening": "dies ist unsere letzte Erinnerung an {{amount | money}} an {{creditor_name}}. Fällig war der Betrag am {{due_on | date}}, also vor {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}.",
        "nudge": {
            "neutral": "Bitte bezahlen Sie in den nächsten Tagen oder melden Sie sich bei uns. Danach müssen wir weitere Schritte prüfen, und wir würden es viel lieber gemeinsam mit Ihnen klären.",
            "loss_aversion": "Wenn Sie jetzt bezahlen, endet die Sache hier, vor weiteren Schritten. Wenn das nicht geht, melden Sie sich in den nächsten Tagen: Auch eine Vereinbarung beendet sie."},
        "sms": {
            "neutral": "letzte Erinnerung: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen. Bitte bezahlen Sie oder melden Sie sich in den nächsten Tagen.",
            "loss_aversion": "letzte Erinnerung: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} an {{creditor_name}} sind seit {{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}} offen. Mit Ihrer Zahlung endet die Sache hier, vor weiteren Schritten."}
    }
] $$);
