-- English.

SELECT dunning._ship_templates('en',
$$ {
    "hello": "{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}",
    "dear": "{{#given_name}}Dear {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Dear {{name}},{{/name}}{{^name}}Good day,{{/name}}{{/given_name}}",
    "hello_sms": "{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}",
    "due": "due on",
    "also": "In another currency there is also",
    "pay": "Pay here",
    "account": "You can pay to account {{creditor_account}}.",
    "already": "Already paid? Then please ignore this message, and thank you.",
    "plan_email": "If you cannot pay it all now, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}. We will find a plan that fits.",
    "plan_letter": "If you cannot pay it all now, {{#creditor_phone}}call us on {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}write to us{{/creditor_phone}}. We will find a plan that fits.",
    "already_sms": "Already paid? Ignore this.",
    "plan_sms": "Need a plan? {{#creditor_phone}}Call {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Contact us{{/creditor_phone}}",
    "regards": "Kind regards",
    "call_who": "Ask for {{name}} and be sure it is them before you say what it is about. Say that you call for {{creditor_name}}.",
    "call_ask": "Ask whether the payment is on its way. If it is paid, note when and how.",
    "call_plan": "If it cannot be paid now, ask what would work and agree on a date or on instalments.",
    "call_end": "Say thank you and note what was agreed."
} $$,
$$ [
    {
        "template": "pre-due",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is due on {{due_on | date}}",
        "opening": "Just a heads-up: {{amount | money}} to {{creditor_name}} is due on {{due_on | date}}.",
        "nudge": {
            "neutral": "Paying by then is all there is to do.",
            "loss_aversion": "Pay by then and it is settled, with no reminders to follow."},
        "sms": {
            "neutral": "a heads-up: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is due on {{due_on | date}}.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is due on {{due_on | date}}. Pay by then and no reminders follow."}
    },
    {
        "template": "reminder-1",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is still open",
        "opening": "It may have slipped your mind: {{amount | money}} to {{creditor_name}} was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.",
        "nudge": {
            "neutral": "It would help us if you could pay in the next few days.",
            "loss_aversion": "Pay now and it is settled: no further reminders will follow."},
        "sms": {
            "neutral": "a reminder: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue. Pay now and no further reminders follow."}
    },
    {
        "template": "reminder-2",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue",
        "opening": "We have not yet received {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: day, days}} ago.",
        "nudge": {
            "neutral": "Please pay now, or tell us what stands in the way.",
            "loss_aversion": "Pay now and the matter is settled, before it takes more of your time. If something stands in the way, tell us."},
        "sms": {
            "neutral": "we have not yet received {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}}, now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue. Pay now and it is settled, with no more reminders."}
    },
    {
        "template": "final-notice",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}last reminder about {{amount | money}} to {{creditor_name}}",
        "opening": "This is our last reminder about {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}} and is now {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue.",
        "nudge": {
            "neutral": "Please pay in the next few days, or get in touch. After that we have to consider further steps, and would much rather settle it with you.",
            "loss_aversion": "Pay now and it ends here, before any further steps. If that is not possible, get in touch in the next few days: a plan also stops them."},
        "sms": {
            "neutral": "our last reminder: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue. Please pay or get in touch in the next few days.",
            "loss_aversion": "last reminder: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} to {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: day, days}} overdue. Pay now and it ends here, before further steps."}
    }
] $$);
