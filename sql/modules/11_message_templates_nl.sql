-- Dutch, in words of level B1.

SELECT dunning._ship_templates('nl',
$$ {
    "who": "{{#given_name}}{{given_name}}: {{/given_name}}{{^given_name}}{{#name}}{{name}}: {{/name}}{{/given_name}}",
    "hello": "{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}",
    "dear": "{{#given_name}}Beste {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Beste {{name}},{{/name}}{{^name}}Goedendag,{{/name}}{{/given_name}}",
    "hello_sms": "{{#given_name}}Hallo {{given_name}},{{/given_name}}{{^given_name}}{{#name}}Hallo {{name}},{{/name}}{{^name}}Hallo,{{/name}}{{/given_name}}",
    "sum": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}}",
    "days": "{{days_overdue | number}} {{days_overdue | plural: dag, dagen}}",
    "due": "betalen voor of op",
    "also": "Er staat ook nog {{amount | money}} open in een andere munt.",
    "settled": "van {{of | money}} is {{amount | money}} betaald of verrekend",
    "charges_so_far": "Kosten en rente tot nu toe: {{amount | money}}",
    "fee_charged": "Kosten voor deze herinnering: {{amount | money}}",
    "in_all": "In totaal te betalen: {{total | money}}",
    "fee_announced": "Is het niet betaald vóór {{on | date}}, dan komt er {{amount | money}} aan kosten bij.",
    "pay": "Betaal hier",
    "account": "Je kunt betalen op rekening {{creditor_account}}.",
    "plan_link": "Vraag een betalingsregeling aan",
    "paid_link": "Laat weten dat je hebt betaald",
    "dispute_link": "Laat weten dat de rekening niet klopt",
    "already": "Al betaald? Dan hoef je niets te doen. Dank je wel!",
    "plan_email": "Kun je niet alles nu betalen, of is er iets veranderd in je leven? Beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}. We zoeken samen een regeling die past.",
    "plan_letter": "Kun je niet alles nu betalen, of is er iets veranderd in je leven? {{#creditor_phone}}Bel ons dan op {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Schrijf ons dan{{/creditor_phone}}. We zoeken samen een regeling die past.",
    "already_sms": "Al betaald? Dank je wel.",
    "plan_sms": "Regeling? {{#creditor_phone}}Bel {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Neem contact op{{/creditor_phone}}",
    "optout": "Geen berichten meer op dit adres",
    "regards": "Met vriendelijke groet",
    "loss": "Betaal je voor {{on | date}}, dan komen er geen kosten van {{amount | money}} bij.",
    "loss_sms": "Betaal voor {{on | date}}, dan komt er geen {{amount | money}} aan kosten bij.",
    "social": "Onze klanten betalen {{percent | number}} van de 100 rekeningen zoals deze binnen 30 dagen.",
    "social_sms": "Onze klanten betalen {{percent | number}} van de 100 rekeningen zoals deze binnen 30 dagen.",
    "cost": "Elke rekening die te laat wordt betaald, kost gemiddeld {{amount | money}}, en dat betalen alle klanten samen.",
    "cost_sms": "Elke late betaling kost gemiddeld {{amount | money}}, en dat betalen alle klanten samen.",
    "empathy": "We weten dat er soms weinig geld is. Betaal wat je kunt, of vertel ons wat voor jou wel lukt. Dan vinden we samen een oplossing.",
    "empathy_sms": "Is het nu moeilijk? Laat het weten, dan vinden we een oplossing.",
    "offer_link": "Bekijk het en zeg hier ja",
    "call_who": "Vraag naar {{#name}}{{name}}{{/name}}{{^name}}de klant{{/name}} en zorg dat je de juiste persoon spreekt voordat je zegt waar het over gaat. Zeg dat je belt namens {{creditor_name}}.",
    "visit_who": "Vraag naar {{#name}}{{name}}{{/name}}{{^name}}de klant{{/name}}, laat zien wie je bent en zeg tegen niemand anders waar het over gaat. Zeg dat je van {{creditor_name}} komt. Ga meteen weg als daarom wordt gevraagd.",
    "call_ask": "Vraag of de betaling onderweg is. Is er betaald, noteer dan wanneer en hoe.",
    "call_plan": "Lukt betalen nu niet, vraag dan wat wel kan en spreek een datum of termijnen af.",
    "call_offer": "Lukt betalen nu niet, bied dan dit aan en niets anders:",
    "call_end": "Bedank en noteer wat er is afgesproken."
} $$,
$$ [
    {
        "template": "pre-due",
        "subject": "{{amount | money}} aan {{creditor_name}}, betalen voor of op {{due_on | date}}",
        "opening": "Een kort bericht vooraf: {{amount | money}} aan {{creditor_name}} moet uiterlijk op {{due_on | date}} betaald zijn.",
        "fact": "een bericht vooraf: [[sum]] aan {{creditor_name}} moet uiterlijk op {{due_on | date}} betaald zijn.",
        "nudge": "Betaal je op tijd, dan hoef je verder niets te doen.",
        "empathy": "Komt die dag niet goed uit? Laat het ons weten, dan zoeken we een andere dag.",
        "empathy_sms": "Komt een andere dag beter uit? Laat het weten."
    },
    {
        "template": "reminder-1",
        "subject": "{{amount | money}} aan {{creditor_name}} staat nog open",
        "opening": "Misschien ben je het vergeten: {{amount | money}} aan {{creditor_name}} moest op {{due_on | date}} betaald zijn. Dat is [[days]] geleden.",
        "fact": "een herinnering: [[sum]] aan {{creditor_name}} is [[days]] te laat.",
        "nudge": "Je helpt ons als je in de komende dagen betaalt."
    },
    {
        "template": "reminder-2",
        "subject": "{{amount | money}} aan {{creditor_name}} is [[days]] te laat",
        "opening": "We hebben {{amount | money}} aan {{creditor_name}} nog niet ontvangen. Je moest betalen voor of op {{due_on | date}}. Dat is [[days]] geleden.",
        "fact": "we hebben [[sum]] aan {{creditor_name}} nog niet ontvangen. Dat is nu [[days]] te laat.",
        "nudge": "Betaal nu, of vertel ons waarom het niet lukt."
    },
    {
        "template": "final-notice",
        "subject": "laatste herinnering voor {{amount | money}} aan {{creditor_name}}",
        "opening": "Dit is onze laatste herinnering voor {{amount | money}} aan {{creditor_name}}. Je moest betalen voor of op {{due_on | date}}. Dat is [[days]] geleden.",
        "fact": "onze laatste herinnering: [[sum]] aan {{creditor_name}} is [[days]] te laat.",
        "nudge": "Betaal in de komende dagen of neem contact op. Daarna moeten we kijken wat we verder doen. We lossen het veel liever samen met je op.",
        "nudge_sms": "Betaal of neem in de komende dagen contact op.",
        "empathy": "We lossen het veel liever samen met je op dan dat we verder moeten gaan. Vertel ons in de komende dagen wat je kunt betalen en wanneer. Met een regeling stopt het hier."
    },
    {
        "template": "fee-warning",
        "subject": "{{#fee}}betaal voor {{on | date}}, dan komt er geen {{amount | money}} aan kosten bij{{/fee}}{{^fee}}{{amount | money}} aan {{creditor_name}} staat nog open{{/fee}}",
        "opening": "{{amount | money}} aan {{creditor_name}} staat nog open. Dat is [[days]] te laat.",
        "fact": "[[sum]] aan {{creditor_name}} is [[days]] te laat.{{#fee}} [[loss_sms]]{{/fee}}",
        "nudge": "{{#fee}}[[loss]] Vanaf die dag mogen we die kosten vragen. {{/fee}}Lukt het niet op tijd? Laat het ons dan eerst weten."
    },
    {
        "template": "formal-notice-sms",
        "subject": "we sturen je een brief over {{amount | money}}",
        "fact": "we sturen je een brief over [[sum]] aan {{creditor_name}}, nu [[days]] te laat. Je kunt het hier meteen regelen."
    },
    {
        "template": "after-payday",
        "subject": "komt {{amount | money}} aan {{creditor_name}} nu goed uit?",
        "opening": "{{amount | money}} aan {{creditor_name}} staat nog open. Je moest betalen voor of op {{due_on | date}}. Dat is [[days]] geleden.",
        "fact": "[[sum]] aan {{creditor_name}} staat nog open, nu [[days]] te laat. Komt betalen nu goed uit?",
        "nudge": "Komt het nu goed uit? Dan is het zo geregeld. Is een andere dag beter, laat ons dan weten welke."
    },
    {
        "template": "plan-offer",
        "subject": "een regeling voor {{amount | money}} aan {{creditor_name}}",
        "opening": "{{amount | money}} aan {{creditor_name}} is [[days]] te laat. We willen het makkelijker voor je maken.",
        "fact": "er is een makkelijker manier om [[sum]] aan {{creditor_name}} te betalen, nu [[days]] te laat.{{#offer}}{{#link}} [[offer_link]]: {{link}}{{/link}}{{^link}} {{text}}{{/link}}{{/offer}}",
        "nudge": "Past dit niet? Vertel ons dan wat wel past. Je kunt ook altijd alles ineens betalen.",
        "offer_none": "Vertel ons wat bij je past: kleinere bedragen of een latere dag.",
        "ask": "Vraag hoe het gaat en wat er per maand betaald kan worden. Dring niet aan: het doel is een regeling die lukt."
    },
    {
        "template": "broken-promise",
        "subject": "over onze afspraak voor {{amount | money}} aan {{creditor_name}}",
        "opening": "We hadden een betaling afgesproken die we nog niet hebben gezien. {{amount | money}} aan {{creditor_name}} is nu [[days]] te laat.",
        "fact": "de betaling die we hadden afgesproken, heeft {{creditor_name}} nog niet. [[sum]] is [[days]] te laat.",
        "nudge": "Misschien kwam er iets tussen. Betaal nu, of laat ons weten welke dag wel lukt.",
        "ask": "Vraag zonder verwijt wat er tussen kwam, en of de betaling onderweg is."
    },
    {
        "template": "hearing",
        "subject": "je afspraak over {{amount | money}} aan {{creditor_name}}",
        "opening": "{{#hearing}}Je hebt een afspraak{{#on}} op {{on | date}}{{/on}}{{#time}} om {{time}} uur{{/time}}{{#place}}, {{place}},{{/place}}{{/hearing}}{{^hearing}}Je hebt binnenkort een afspraak{{/hearing}} over {{amount | money}} aan {{creditor_name}}. Je moest betalen voor of op {{due_on | date}}. Dat is [[days]] geleden.",
        "fact": "{{#hearing}}je hebt een afspraak{{#on}} op {{on | date}}{{/on}}{{#time}} om {{time}} uur{{/time}}{{/hearing}}{{^hearing}}je hebt binnenkort een afspraak{{/hearing}} over [[sum]] aan {{creditor_name}}, nu [[days]] te laat.",
        "nudge": "Betaal je voor die tijd, of spreek je een regeling met ons af, dan is het misschien niet nodig. Kun je niet komen? Laat het ons weten."
    },
    {
        "template": "payment-thanks",
        "subject": "bedankt voor je betaling aan {{creditor_name}}",
        "opening": "Dank je wel. We hebben je betaling aan {{creditor_name}} ontvangen.",
        "fact": "dank je wel. {{creditor_name}} heeft je betaling ontvangen.",
        "nudge": "Heb je een vraag? Beantwoord dan deze e-mail{{#creditor_phone}} of bel {{creditor_phone}}{{/creditor_phone}}."
    },
    {
        "template": "visit",
        "subject": "bezoek over {{amount | money}} aan {{creditor_name}}",
        "opening": "{{amount | money}} aan {{creditor_name}} moest op {{due_on | date}} betaald zijn, [[days]] geleden.",
        "ask": "Vraag of er iets met de rekening is dat we moeten weten. Neem geen contant geld aan, tenzij dat is afgesproken, en geef altijd een bewijs."
    },
    {
        "template": "call",
        "subject": "gesprek over {{amount | money}} aan {{creditor_name}}",
        "opening": "{{amount | money}} aan {{creditor_name}} moest op {{due_on | date}} betaald zijn, [[days]] geleden."
    }
] $$);
