-- Dutch.

SELECT dunning._ship_templates('nl',
$$ {
    "hello": "{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}",
    "dear": "{{#given_name}}Beste {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Beste {{name}},{{/name}}{{^name}}Goedendag,{{/name}}{{/given_name}}",
    "hello_sms": "{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}",
    "due": "vervaldatum",
    "also": "In een andere valuta staat ook nog open:",
    "pay": "Betaal hier",
    "account": "Je kunt betalen op rekening {{creditor_account}}.",
    "already": "Al betaald? Dan kun je dit bericht negeren. Dank je wel!",
    "plan_email": "Lukt het niet om alles nu te betalen, beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}. We vinden samen een regeling die past.",
    "plan_letter": "Lukt het niet om alles nu te betalen, {{#creditor_phone}}bel ons dan op {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}schrijf ons dan{{/creditor_phone}}. We vinden samen een regeling die past.",
    "already_sms": "Al betaald? Negeer dit bericht.",
    "plan_sms": "Een regeling nodig? {{#creditor_phone}}Bel {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Neem contact op{{/creditor_phone}}",
    "regards": "Met vriendelijke groet",
    "call_who": "Vraag naar {{name}} en zorg dat je de juiste persoon spreekt voordat je zegt waar het over gaat. Zeg dat je belt namens {{creditor_name}}.",
    "call_ask": "Vraag of de betaling onderweg is. Is er betaald, noteer dan wanneer en hoe.",
    "call_plan": "Lukt betalen nu niet, vraag dan wat wel kan en spreek een datum of termijnen af.",
    "call_end": "Bedank en noteer wat er is afgesproken."
} $$,
$$ [
    {
        "template": "pre-due",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} vervalt op {{due_on | date}}",
        "opening": "Een kort bericht vooraf: {{amount | money}} aan {{creditor_name}} moet uiterlijk op {{due_on | date}} betaald zijn.",
        "nudge": {
            "neutral": "Betaal je voor die datum, dan hoef je verder niets te doen.",
            "loss_aversion": "Betaal je voor die datum, dan is het geregeld en volgen er geen herinneringen."},
        "sms": {
            "neutral": "een bericht vooraf: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} moet uiterlijk op {{due_on | date}} betaald zijn.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} moet uiterlijk op {{due_on | date}} betaald zijn. Op tijd betaald? Dan volgen er geen herinneringen."}
    },
    {
        "template": "reminder-1",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} staat nog open",
        "opening": "Misschien is het je ontgaan: {{amount | money}} aan {{creditor_name}} had op {{due_on | date}} betaald moeten zijn, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.",
        "nudge": {
            "neutral": "Het zou ons helpen als je in de komende dagen kunt betalen.",
            "loss_aversion": "Betaal je nu, dan is het geregeld en krijg je geen herinneringen meer."},
        "sms": {
            "neutral": "een herinnering: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} staat nu {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} na de vervaldatum nog open.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} staat {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} na de vervaldatum nog open. Betaal nu en er volgen geen herinneringen meer."}
    },
    {
        "template": "reminder-2",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} aan {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} te laat",
        "opening": "We hebben {{amount | money}} aan {{creditor_name}} nog niet ontvangen. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.",
        "nudge": {
            "neutral": "Betaal nu, of laat ons weten wat er in de weg staat.",
            "loss_aversion": "Betaal je nu, dan is de zaak afgerond voordat hij je meer tijd kost. Staat er iets in de weg, laat het ons dan weten."},
        "sms": {
            "neutral": "we hebben {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} nog niet ontvangen, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} na de vervaldatum.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} staat {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} na de vervaldatum nog open. Betaal nu en het is afgerond."}
    },
    {
        "template": "final-notice",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}laatste herinnering voor {{amount | money}} aan {{creditor_name}}",
        "opening": "Dit is onze laatste herinnering voor {{amount | money}} aan {{creditor_name}}. De vervaldatum was {{due_on | date}}, {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} geleden.",
        "nudge": {
            "neutral": "Betaal in de komende dagen of neem contact op. Daarna moeten we verdere stappen overwegen, en we lossen het veel liever samen met je op.",
            "loss_aversion": "Betaal je nu, dan houdt het hier op, voordat er verdere stappen komen. Lukt dat niet, neem dan in de komende dagen contact op: ook met een regeling stopt het."},
        "sms": {
            "neutral": "onze laatste herinnering: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} te laat. Betaal of neem in de komende dagen contact op.",
            "loss_aversion": "laatste herinnering: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} aan {{creditor_name}} is {{days_overdue | number}} {{days_overdue | plural: dag, dagen}} te laat. Betaal nu en het houdt hier op, voor er verdere stappen komen."}
    }
] $$);
