-- English.

SELECT dunning._ship_templates('en',
$$ {
    "who": "{{#given_name}}{{given_name}}: {{/given_name}}{{^given_name}}{{#name}}{{name}}: {{/name}}{{/given_name}}",
    "hello": "{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}",
    "dear": "{{#given_name}}Dear {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Dear {{name}},{{/name}}{{^name}}Good day,{{/name}}{{/given_name}}",
    "hello_sms": "{{#given_name}}Hi {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hello {{name}},{{/name}}{{^name}}Hello,{{/name}}{{/given_name}}",
    "sum": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}}",
    "days": "{{days_overdue | number}} {{days_overdue | plural: day, days}}",
    "due": "due on",
    "also": "There is also {{amount | money}} in another currency.",
    "settled": "of {{of | money}}, {{amount | money}} is paid or credited",
    "charges_so_far": "Fees and interest so far: {{amount | money}}",
    "fee_charged": "Fee for this reminder: {{amount | money}}",
    "in_all": "To pay in all: {{total | money}}",
    "fee_announced": "If it is not paid before {{on | date}}, costs of {{amount | money}} will be added.",
    "pay": "Pay here",
    "account": "You can pay to account {{creditor_account}}.",
    "plan_link": "Ask for a payment plan",
    "paid_link": "Tell us that you have paid",
    "dispute_link": "Tell us that something is wrong with the bill",
    "already": "Already paid? Then please ignore this message, and thank you.",
    "plan_email": "If you cannot pay it all now, or something has changed for you, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}. We will find a plan that fits.",
    "plan_letter": "If you cannot pay it all now, or something has changed for you, {{#creditor_phone}}call us on {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}write to us{{/creditor_phone}}. We will find a plan that fits.",
    "already_sms": "Already paid? Ignore this.",
    "plan_sms": "Need a plan? {{#creditor_phone}}Call {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Contact us{{/creditor_phone}}",
    "optout": "No more messages to this address",
    "optout_sms": "Reply STOP to opt out.",
    "regards": "Kind regards",
    "loss": "If you pay before {{on | date}}, you avoid a fee of {{amount | money}}.",
    "loss_sms": "Pay before {{on | date}} and avoid a fee of {{amount | money}}.",
    "social": "Our customers pay {{percent | number}} out of 100 bills like this one within 30 days.",
    "social_sms": "Our customers pay {{percent | number}} of 100 bills like this within 30 days.",
    "cost": "Each bill that is paid late costs {{amount | money}} on average, and in the end all customers pay for it.",
    "cost_sms": "Each late bill costs {{amount | money}} on average, and all customers pay for it.",
    "empathy": "We know that money can be tight at times. Pay what you can, or tell us what would work for you, and we will find a way together.",
    "empathy_sms": "Is it difficult right now? Tell us, and we will find a way.",
    "offer_link": "See it and say yes here",
    "call_who": "Ask for {{#name}}{{name}}{{/name}}{{^name}}the customer{{/name}} and be sure it is them before you say what it is about. Say that you call for {{creditor_name}}.",
    "visit_who": "Ask for {{#name}}{{name}}{{/name}}{{^name}}the customer{{/name}}, show who you are and say nothing of the matter to anyone else. Say that you come from {{creditor_name}}. Leave at once if you are asked to.",
    "call_ask": "Ask whether the payment is on its way. If it is paid, note when and how.",
    "call_plan": "If it cannot be paid now, ask what would work and agree on a date or on instalments.",
    "call_offer": "If it cannot be paid now, offer this and nothing else:",
    "call_end": "Say thank you and note what was agreed."
} $$,
$$ [
    {
        "template": "pre-due",
        "subject": "{{amount | money}} to {{creditor_name}} is due on {{due_on | date}}",
        "opening": "Just a heads-up: {{amount | money}} to {{creditor_name}} is due on {{due_on | date}}.",
        "fact": "a heads-up: [[sum]] to {{creditor_name}} is due on {{due_on | date}}.",
        "nudge": "Paying by then is all there is to do.",
        "empathy": "If that day does not suit you, tell us, and we will find another one.",
        "empathy_sms": "Does another day suit you better? Tell us."
    },
    {
        "template": "reminder-1",
        "subject": "{{amount | money}} to {{creditor_name}} is still open",
        "opening": "It may have slipped your mind: {{amount | money}} to {{creditor_name}} was due on {{due_on | date}} and is now [[days]] overdue.",
        "fact": "a reminder: [[sum]] to {{creditor_name}} is [[days]] overdue.",
        "nudge": "It would help us if you could pay in the next few days."
    },
    {
        "template": "reminder-2",
        "subject": "{{amount | money}} to {{creditor_name}} is [[days]] overdue",
        "opening": "We have not yet received {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}}, [[days]] ago.",
        "fact": "we have not yet received [[sum]] to {{creditor_name}}, now [[days]] overdue.",
        "nudge": "Please pay now, or tell us what stands in the way."
    },
    {
        "template": "final-notice",
        "subject": "last reminder about {{amount | money}} to {{creditor_name}}",
        "opening": "This is our last reminder about {{amount | money}} to {{creditor_name}}. It was due on {{due_on | date}} and is now [[days]] overdue.",
        "fact": "our last reminder: [[sum]] to {{creditor_name}} is [[days]] overdue.",
        "nudge": "Please pay in the next few days, or get in touch. After that we have to consider further steps, and would much rather settle it with you.",
        "nudge_sms": "Please pay or get in touch in the next few days.",
        "empathy": "We would much rather settle it with you than take further steps. Tell us in the next few days what you can pay and when: a plan is enough for it to stop here."
    },
    {
        "template": "fee-warning",
        "subject": "{{#fee}}pay before {{on | date}} and avoid a fee of {{amount | money}}{{/fee}}{{^fee}}{{amount | money}} to {{creditor_name}} is still open{{/fee}}",
        "opening": "{{amount | money}} to {{creditor_name}} is still open, [[days]] after it was due.",
        "fact": "[[sum]] to {{creditor_name}} is [[days]] overdue.{{#fee}} [[loss_sms]]{{/fee}}",
        "nudge": "{{#fee}}[[loss]] From that day we may add it. {{/fee}}If you cannot pay in time, tell us before then."
    },
    {
        "template": "formal-notice-sms",
        "subject": "we are sending you a letter about {{amount | money}}",
        "fact": "we are sending you a letter about [[sum]] to {{creditor_name}}, [[days]] overdue. You can settle it right here."
    },
    {
        "template": "after-payday",
        "subject": "is now a good time for {{amount | money}} to {{creditor_name}}?",
        "opening": "{{amount | money}} to {{creditor_name}} is still open. It was due on {{due_on | date}}, [[days]] ago.",
        "fact": "[[sum]] to {{creditor_name}} is still open, [[days]] after it was due. Is now a good time?",
        "nudge": "If now is a good time, it takes only a minute. If another day is better, tell us which one."
    },
    {
        "template": "plan-offer",
        "subject": "a plan for {{amount | money}} to {{creditor_name}}",
        "opening": "{{amount | money}} to {{creditor_name}} has been open for [[days]]. We would like to make it easier for you.",
        "fact": "there is an easier way to settle [[sum]] to {{creditor_name}}, [[days]] overdue.{{#offer}}{{#link}} [[offer_link]]: {{link}}{{/link}}{{^link}} {{text}}{{/link}}{{/offer}}",
        "nudge": "If it does not fit, tell us what would. You can also pay it all at any time.",
        "offer_none": "Tell us what would suit you: smaller payments, or a later date.",
        "ask": "Ask how things are and what could be paid each month. Do not press: the aim is a plan that holds."
    },
    {
        "template": "broken-promise",
        "subject": "about our agreement on {{amount | money}} to {{creditor_name}}",
        "opening": "We had agreed on a payment that we have not yet seen. {{amount | money}} to {{creditor_name}} is now [[days]] overdue.",
        "fact": "the payment we agreed on has not reached {{creditor_name}} yet. [[sum]] is [[days]] overdue.",
        "nudge": "Something may have come in between. Please pay now, or tell us what day would work.",
        "ask": "Ask what came in between, without blame, and whether the payment is on its way."
    },
    {
        "template": "hearing",
        "subject": "your appointment about {{amount | money}} to {{creditor_name}}",
        "opening": "{{#hearing}}You have an appointment about {{/hearing}}{{^hearing}}You will soon have an appointment about {{/hearing}}{{amount | money}} to {{creditor_name}}{{#hearing}}{{#on}} on {{on | date}}{{/on}}{{#time}} at {{time}}{{/time}}{{#place}}, {{place}}{{/place}}{{/hearing}}. The amount was due on {{due_on | date}}, [[days]] ago.",
        "fact": "{{#hearing}}you have an appointment{{#on}} on {{on | date}}{{/on}}{{#time}} at {{time}}{{/time}}{{/hearing}}{{^hearing}}you will soon have an appointment{{/hearing}} about [[sum]] to {{creditor_name}}, [[days]] overdue.",
        "nudge": "If you pay or agree on a plan with us before then, it may not be needed. If you cannot come, tell us."
    },
    {
        "template": "payment-thanks",
        "subject": "thank you for your payment to {{creditor_name}}",
        "opening": "Thank you. We have received your payment to {{creditor_name}}.",
        "fact": "thank you. {{creditor_name}} has received your payment.",
        "nudge": "If you have a question about it, just reply to this e-mail{{#creditor_phone}} or call {{creditor_phone}}{{/creditor_phone}}."
    },
    {
        "template": "visit",
        "subject": "visit about {{amount | money}} to {{creditor_name}}",
        "opening": "{{amount | money}} to {{creditor_name}} was due on {{due_on | date}}, [[days]] ago.",
        "ask": "Ask whether there is anything about the bill that we should know. Take no cash unless you were told to, and always give a receipt."
    },
    {
        "template": "call",
        "subject": "call about {{amount | money}} to {{creditor_name}}",
        "opening": "{{amount | money}} to {{creditor_name}} was due on {{due_on | date}}, [[days]] ago."
    }
] $$);
