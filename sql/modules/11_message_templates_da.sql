-- Danish.

SELECT dunning._ship_templates('da',
$$ {
    "hello": "{{#given_name}}Hej {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}{{/name}}{{^name}}Hej{{/name}}{{/given_name}}",
    "dear": "{{#given_name}}Kære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kære {{name}}{{/name}}{{^name}}Goddag{{/name}}{{/given_name}}",
    "hello_sms": "{{#given_name}}Hej {{given_name}}.{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}.{{/name}}{{^name}}Hej.{{/name}}{{/given_name}}",
    "due": "forfald",
    "also": "I en anden valuta er der også",
    "pay": "Betal her",
    "account": "Du kan betale til konto {{creditor_account}}.",
    "already": "Har du allerede betalt? Så se bort fra denne besked, og tak for det.",
    "plan_email": "Kan du ikke betale det hele nu, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}. Så finder vi en ordning, der passer.",
    "plan_letter": "Kan du ikke betale det hele nu, så {{#creditor_phone}}ring på {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til os{{/creditor_phone}}. Så finder vi en ordning, der passer.",
    "already_sms": "Allerede betalt? Se bort fra denne besked.",
    "plan_sms": "Brug for en ordning? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt os{{/creditor_phone}}",
    "regards": "Venlig hilsen",
    "call_who": "Spørg efter {{name}}, og vær sikker på, at det er den rigtige, før du siger, hvad det drejer sig om. Sig, at du ringer for {{creditor_name}}.",
    "call_ask": "Spørg, om betalingen er på vej. Er der betalt, så notér hvornår og hvordan.",
    "call_plan": "Kan der ikke betales nu, så spørg, hvad der kan lade sig gøre, og aftal en dato eller afdrag.",
    "call_end": "Sig tak, og notér, hvad der blev aftalt."
} $$,
$$ [
    {
        "template": "pre-due",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfalder {{due_on | date}}",
        "opening": "Bare til din orientering: {{amount | money}} til {{creditor_name}} forfalder den {{due_on | date}}.",
        "nudge": {
            "neutral": "Betaler du inden da, skal du ikke gøre mere.",
            "loss_aversion": "Betaler du inden da, er det klaret, og der kommer ingen rykkere."},
        "sms": {
            "neutral": "Til orientering: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalder den {{due_on | date}}.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfalder den {{due_on | date}}. Betal inden da, så kommer der ingen rykkere."}
    },
    {
        "template": "reminder-1",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} mangler stadig",
        "opening": "Det kan let smutte: {{amount | money}} til {{creditor_name}} skulle være betalt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.",
        "nudge": {
            "neutral": "Det ville hjælpe os, hvis du kunne betale i løbet af de næste dage.",
            "loss_aversion": "Betaler du nu, er det klaret, og du hører ikke mere om det."},
        "sms": {
            "neutral": "En venlig påmindelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden. Betal nu, så kommer der ikke flere påmindelser."}
    },
    {
        "template": "reminder-2",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden",
        "opening": "Vi har endnu ikke modtaget {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.",
        "nudge": {
            "neutral": "Betal nu, eller fortæl os, hvad der står i vejen.",
            "loss_aversion": "Betaler du nu, er sagen ude af verden, før den tager mere af din tid. Står noget i vejen, så fortæl os det."},
        "sms": {
            "neutral": "Vi mangler stadig {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}}, der forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden. Betal nu, så er sagen ude af verden."}
    },
    {
        "template": "final-notice",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}sidste påmindelse om {{amount | money}} til {{creditor_name}}",
        "opening": "Dette er vores sidste påmindelse om {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden.",
        "nudge": {
            "neutral": "Betal i løbet af de næste dage, eller kontakt os. Derefter må vi overveje, hvad vi så gør, og vi vil langt hellere løse det sammen med dig.",
            "loss_aversion": "Betaler du nu, slutter det her, før der sker mere. Kan du ikke det, så kontakt os i løbet af de næste dage: Også en ordning stopper sagen."},
        "sms": {
            "neutral": "Sidste påmindelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden. Betal eller kontakt os i de nærmeste dage.",
            "loss_aversion": "Sidste påmindelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} til {{creditor_name}} forfaldt for {{days_overdue | number}} {{days_overdue | plural: dag, dage}} siden. Betal nu, så slutter det her, før der sker mere."}
    }
] $$);
