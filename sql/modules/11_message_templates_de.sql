-- German.

SELECT dunning._ship_templates('de',
$$ {
    "who": "{{#name}}{{name}}: {{/name}}{{^name}}{{#given_name}}{{given_name}}: {{/given_name}}{{/name}}",
    "hello": "{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}",
    "dear": "{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}",
    "hello_sms": "{{#name}}Guten Tag {{name}},{{/name}}{{^name}}{{#given_name}}Guten Tag {{given_name}},{{/given_name}}{{^given_name}}Guten Tag,{{/given_name}}{{/name}}",
    "sum": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}}",
    "days": "{{days_overdue | number}} {{days_overdue | plural: Tag, Tagen}}",
    "due": "fällig am",
    "also": "Außerdem sind {{amount | money}} in einer anderen Währung offen.",
    "settled": "von {{of | money}} sind {{amount | money}} bezahlt oder gutgeschrieben",
    "charges_so_far": "Kosten und Zinsen bisher: {{amount | money}}",
    "fee_charged": "Gebühr für diese Mahnung: {{amount | money}}",
    "in_all": "Insgesamt zu zahlen: {{total | money}}",
    "fee_announced": "Ist nicht vor dem {{on | date}} gezahlt, kommen Kosten von {{amount | money}} hinzu.",
    "pay": "Hier bezahlen",
    "account": "Sie können auf das Konto {{creditor_account}} überweisen.",
    "plan_link": "Um Ratenzahlung bitten",
    "paid_link": "Mitteilen, dass bezahlt ist",
    "dispute_link": "Mitteilen, dass etwas mit der Rechnung nicht stimmt",
    "already": "Bereits bezahlt? Dann betrachten Sie diese Nachricht bitte als erledigt. Vielen Dank!",
    "plan_email": "Wenn Sie nicht alles auf einmal bezahlen können oder sich bei Ihnen etwas geändert hat, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}. Wir finden eine Lösung, die passt.",
    "plan_letter": "Wenn Sie nicht alles auf einmal bezahlen können oder sich bei Ihnen etwas geändert hat, {{#creditor_phone}}rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schreiben Sie uns{{/creditor_phone}}. Wir finden eine Lösung, die passt.",
    "already_sms": "Bereits bezahlt? Vielen Dank.",
    "plan_sms": "Raten? {{#creditor_phone}}Tel. {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Sprechen Sie uns an{{/creditor_phone}}",
    "optout": "Keine Nachrichten mehr an diese Adresse",
    "regards": "Freundliche Grüße",
    "loss": "Wenn Sie vor dem {{on | date}} bezahlen, vermeiden Sie eine Gebühr von {{amount | money}}.",
    "loss_sms": "Zahlung vor dem {{on | date}} erspart Ihnen {{amount | money}} Gebühr.",
    "social": "Unsere Kunden bezahlen {{percent | number}} von 100 Rechnungen wie dieser innerhalb von 30 Tagen.",
    "social_sms": "Unsere Kunden bezahlen {{percent | number}} von 100 solchen Rechnungen in 30 Tagen.",
    "cost": "Jede Rechnung, die zu spät bezahlt wird, kostet im Durchschnitt {{amount | money}}, die am Ende alle Kunden mittragen.",
    "cost_sms": "Jede späte Zahlung kostet im Schnitt {{amount | money}}, die alle Kunden mittragen.",
    "empathy": "Wir wissen, dass das Geld manchmal knapp ist. Bezahlen Sie, was Sie können, oder sagen Sie uns, was für Sie möglich wäre. Dann finden wir gemeinsam einen Weg.",
    "empathy_sms": "Ist es gerade schwierig? Sagen Sie es uns, wir finden einen Weg.",
    "offer_link": "Hier ansehen und zusagen",
    "call_who": "Fragen Sie nach {{#name}}{{name}}{{/name}}{{^name}}der Kundin oder dem Kunden{{/name}} und vergewissern Sie sich, dass es die richtige Person ist, bevor Sie sagen, worum es geht. Sagen Sie, dass Sie für {{creditor_name}} anrufen.",
    "visit_who": "Fragen Sie nach {{#name}}{{name}}{{/name}}{{^name}}der Kundin oder dem Kunden{{/name}}, weisen Sie sich aus und sagen Sie niemand anderem, worum es geht. Sagen Sie, dass Sie von {{creditor_name}} kommen. Gehen Sie sofort, wenn man Sie darum bittet.",
    "call_ask": "Fragen Sie, ob die Zahlung unterwegs ist. Wenn bezahlt wurde, notieren Sie, wann und wie.",
    "call_plan": "Wenn es jetzt nicht geht, fragen Sie, was möglich wäre, und vereinbaren Sie einen Termin oder Raten.",
    "call_offer": "Wenn es jetzt nicht geht, bieten Sie dies an und nichts anderes:",
    "call_end": "Bedanken Sie sich und notieren Sie, was vereinbart wurde."
} $$,
$$ [
    {
        "template": "pre-due",
        "subject": "{{amount | money}} an {{creditor_name}} fällig am {{due_on | date}}",
        "opening": "nur zur Erinnerung vorab: {{amount | money}} an {{creditor_name}} sind am {{due_on | date}} fällig.",
        "fact": "zur Erinnerung vorab: [[sum]] an {{creditor_name}} sind am {{due_on | date}} fällig.",
        "nudge": "Mit der Zahlung bis dahin ist alles getan.",
        "empathy": "Wenn Ihnen der Tag nicht passt, sagen Sie es uns. Dann finden wir einen anderen.",
        "empathy_sms": "Passt ein anderer Tag besser? Sagen Sie es uns."
    },
    {
        "template": "reminder-1",
        "subject": "{{amount | money}} an {{creditor_name}} noch offen",
        "opening": "vielleicht ist es Ihnen entgangen: {{amount | money}} an {{creditor_name}} waren am {{due_on | date}} fällig und sind seit [[days]] offen.",
        "fact": "eine Erinnerung: [[sum]] an {{creditor_name}} sind seit [[days]] offen.",
        "nudge": "Es würde uns helfen, wenn Sie in den nächsten Tagen bezahlen könnten."
    },
    {
        "template": "reminder-2",
        "subject": "{{amount | money}} an {{creditor_name}} seit [[days]] offen",
        "opening": "wir haben {{amount | money}} an {{creditor_name}} noch nicht erhalten. Fällig war der Betrag am {{due_on | date}}, also vor [[days]].",
        "fact": "wir haben [[sum]] an {{creditor_name}} noch nicht erhalten, seit [[days]] offen.",
        "nudge": "Bitte bezahlen Sie jetzt oder sagen Sie uns, was dem im Weg steht."
    },
    {
        "template": "final-notice",
        "subject": "letzte Erinnerung, {{amount | money}} an {{creditor_name}}",
        "opening": "dies ist unsere letzte Erinnerung an {{amount | money}} an {{creditor_name}}. Fällig war der Betrag am {{due_on | date}}, also vor [[days]].",
        "fact": "letzte Erinnerung: [[sum]] an {{creditor_name}} sind seit [[days]] offen.",
        "nudge": "Bitte bezahlen Sie in den nächsten Tagen oder melden Sie sich bei uns. Danach müssen wir weitere Schritte prüfen, und wir würden es viel lieber gemeinsam mit Ihnen klären.",
        "nudge_sms": "Bitte bezahlen Sie oder melden Sie sich in den nächsten Tagen.",
        "empathy": "Wir würden es viel lieber gemeinsam mit Ihnen klären, als weitere Schritte zu gehen. Sagen Sie uns in den nächsten Tagen, was Sie wann bezahlen können: Eine Vereinbarung reicht, damit es hier endet."
    },
    {
        "template": "fee-warning",
        "subject": "{{#fee}}Zahlung vor dem {{on | date}} erspart {{amount | money}} Gebühr{{/fee}}{{^fee}}{{amount | money}} an {{creditor_name}} noch offen{{/fee}}",
        "opening": "{{amount | money}} an {{creditor_name}} sind noch offen, seit [[days]].",
        "fact": "[[sum]] an {{creditor_name}} sind seit [[days]] offen.{{#fee}} [[loss_sms]]{{/fee}}",
        "nudge": "{{#fee}}[[loss]] Ab diesem Tag können wir sie berechnen. {{/fee}}Wenn Sie es nicht rechtzeitig schaffen, sagen Sie es uns bitte vorher."
    },
    {
        "template": "formal-notice-sms",
        "subject": "unser Brief an Sie, {{amount | money}}",
        "fact": "wir schicken Ihnen einen Brief: [[sum]] an {{creditor_name}}, seit [[days]] offen. Sie können es gleich hier erledigen."
    },
    {
        "template": "after-payday",
        "subject": "passt es jetzt mit {{amount | money}} an {{creditor_name}}?",
        "opening": "{{amount | money}} an {{creditor_name}} sind noch offen. Fällig war der Betrag am {{due_on | date}}, also vor [[days]].",
        "fact": "[[sum]] an {{creditor_name}} sind seit [[days]] offen. Passt es jetzt?",
        "nudge": "Wenn es jetzt passt, ist es schnell erledigt. Wenn ein anderer Tag besser ist, sagen Sie uns, welcher."
    },
    {
        "template": "plan-offer",
        "subject": "ein Vorschlag zu {{amount | money}} an {{creditor_name}}",
        "opening": "{{amount | money}} an {{creditor_name}} sind seit [[days]] offen. Wir möchten es Ihnen leichter machen.",
        "fact": "[[sum]] an {{creditor_name}}, seit [[days]] offen: Es gibt einen leichteren Weg.{{#offer}}{{#link}} [[offer_link]]: {{link}}{{/link}}{{^link}} {{text}}{{/link}}{{/offer}}",
        "nudge": "Wenn das nicht passt, sagen Sie uns, was passen würde. Sie können auch jederzeit alles bezahlen.",
        "offer_none": "Sagen Sie uns, was Ihnen passen würde: kleinere Beträge oder ein späterer Tag.",
        "ask": "Fragen Sie, wie es geht und was im Monat möglich ist. Drängen Sie nicht: Das Ziel ist eine Vereinbarung, die hält."
    },
    {
        "template": "broken-promise",
        "subject": "unsere Vereinbarung zu {{amount | money}} an {{creditor_name}}",
        "opening": "wir hatten eine Zahlung vereinbart, die wir noch nicht gesehen haben. {{amount | money}} an {{creditor_name}} sind seit [[days]] offen.",
        "fact": "die vereinbarte Zahlung ist bei {{creditor_name}} noch nicht da. [[sum]] sind seit [[days]] offen.",
        "nudge": "Vielleicht ist etwas dazwischengekommen. Bitte bezahlen Sie jetzt oder sagen Sie uns, welcher Tag möglich ist.",
        "ask": "Fragen Sie ohne Vorwurf, was dazwischengekommen ist und ob die Zahlung unterwegs ist."
    },
    {
        "template": "hearing",
        "subject": "Ihr Termin zu {{amount | money}} an {{creditor_name}}",
        "opening": "{{#hearing}}Sie haben{{#on}} am {{on | date}}{{/on}}{{#time}} um {{time}} Uhr{{/time}}{{#place}}, {{place}},{{/place}} einen Termin{{/hearing}}{{^hearing}}Sie haben demnächst einen Termin{{/hearing}} zu {{amount | money}} an {{creditor_name}}. Fällig war der Betrag am {{due_on | date}}, also vor [[days]].",
        "fact": "{{#hearing}}Sie haben{{#on}} am {{on | date}}{{/on}}{{#time}} um {{time}} Uhr{{/time}} einen Termin{{/hearing}}{{^hearing}}Sie haben demnächst einen Termin{{/hearing}} zu [[sum]] an {{creditor_name}}, seit [[days]] offen.",
        "nudge": "Wenn Sie vorher bezahlen oder mit uns Raten vereinbaren, ist er vielleicht nicht nötig. Wenn Sie nicht kommen können, sagen Sie es uns."
    },
    {
        "template": "payment-thanks",
        "subject": "danke für Ihre Zahlung an {{creditor_name}}",
        "opening": "vielen Dank. Wir haben Ihre Zahlung an {{creditor_name}} erhalten.",
        "fact": "vielen Dank. {{creditor_name}} hat Ihre Zahlung erhalten.",
        "nudge": "Wenn Sie eine Frage dazu haben, antworten Sie einfach auf diese E-Mail{{#creditor_phone}} oder rufen Sie uns an: {{creditor_phone}}{{/creditor_phone}}."
    },
    {
        "template": "visit",
        "subject": "Besuch zu {{amount | money}} an {{creditor_name}}",
        "opening": "{{amount | money}} an {{creditor_name}} waren am {{due_on | date}} fällig, also vor [[days]].",
        "ask": "Fragen Sie, ob es zu der Rechnung etwas gibt, das wir wissen sollten. Nehmen Sie kein Bargeld an, wenn das nicht abgesprochen ist, und geben Sie immer eine Quittung."
    },
    {
        "template": "call",
        "subject": "Anruf zu {{amount | money}} an {{creditor_name}}",
        "opening": "{{amount | money}} an {{creditor_name}} waren am {{due_on | date}} fällig, also vor [[days]]."
    }
] $$);
