-- Norwegian (Bokmal).

SELECT dunning._ship_templates('nb',
$$ {
    "hello": "{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}",
    "dear": "{{#given_name}}Kjære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kjære {{name}}{{/name}}{{^name}}God dag{{/name}}{{/given_name}}",
    "hello_sms": "{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}",
    "due": "forfall",
    "also": "I en annen valuta er det også",
    "pay": "Betal her",
    "account": "Du kan betale til konto {{creditor_account}}.",
    "already": "Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!",
    "plan_email": "Kan du ikke betale alt nå, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi finner en avtale som passer.",
    "plan_letter": "Kan du ikke betale alt nå, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til oss{{/creditor_phone}}. Vi finner en avtale som passer.",
    "already_sms": "Allerede betalt? Se bort fra dette.",
    "plan_sms": "Trenger du en avtale? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt oss{{/creditor_phone}}",
    "regards": "Vennlig hilsen",
    "call_who": "Spør etter {{name}}, og vær sikker på at det er rett person før du sier hva det gjelder. Si at du ringer for {{creditor_name}}.",
    "call_ask": "Spør om betalingen er på vei. Er det betalt, så noter når og hvordan.",
    "call_plan": "Går det ikke å betale nå, så spør hva som kan fungere, og avtal en dato eller avdrag.",
    "call_end": "Si takk, og noter hva dere ble enige om."
} $$,
$$ [
    {
        "template": "pre-due",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}",
        "opening": "Bare så du vet det: {{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}.",
        "nudge": {
            "neutral": "Betaler du innen da, trenger du ikke å gjøre noe mer.",
            "loss_aversion": "Betaler du innen da, er det i orden, og det kommer ingen purringer."},
        "sms": {
            "neutral": "Bare så du vet det: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaller {{due_on | date}}.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaller {{due_on | date}}. Betal innen da, så kommer det ingen purringer."}
    },
    {
        "template": "reminder-1",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} er fortsatt ubetalt",
        "opening": "Det er lett å glemme: {{amount | money}} til {{creditor_name}} forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.",
        "nudge": {
            "neutral": "Det ville hjelpe oss om du kunne betale i løpet av de neste dagene.",
            "loss_aversion": "Betaler du nå, er det i orden, og du får ingen flere påminnelser."},
        "sms": {
            "neutral": "En påminnelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden. Betal nå, så kommer det ingen flere påminnelser."}
    },
    {
        "template": "reminder-2",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden",
        "opening": "Vi har ennå ikke mottatt {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.",
        "nudge": {
            "neutral": "Betal nå, eller fortell oss hva som står i veien.",
            "loss_aversion": "Betaler du nå, er saken ute av verden før den tar mer av tiden din. Står noe i veien, så fortell oss det."},
        "sms": {
            "neutral": "Vi har ennå ikke mottatt {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}}, som forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden. Betal nå, så er saken ute av verden."}
    },
    {
        "template": "final-notice",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}siste påminnelse om {{amount | money}} til {{creditor_name}}",
        "opening": "Dette er vår siste påminnelse om {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden.",
        "nudge": {
            "neutral": "Betal i løpet av de neste dagene, eller ta kontakt. Etter det må vi vurdere neste steg, og vi vil mye heller løse det sammen med deg.",
            "loss_aversion": "Betaler du nå, slutter det her, før neste steg. Går ikke det, så ta kontakt i løpet av de neste dagene: også en avtale stanser saken."},
        "sms": {
            "neutral": "Siste påminnelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden. Betal eller ta kontakt i løpet av de neste dagene.",
            "loss_aversion": "Siste påminnelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalt for {{days_overdue | number}} {{days_overdue | plural: dag, dager}} siden. Betal nå, så slutter det her, før neste steg."}
    }
] $$);
