-- Norwegian (Bokmal).

SELECT dunning._ship_templates('nb',
$$ {
    "who": "{{#given_name}}{{given_name}}: {{/given_name}}{{^given_name}}{{#name}}{{name}}: {{/name}}{{/given_name}}",
    "hello": "{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}",
    "dear": "{{#given_name}}Kjære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kjære {{name}}{{/name}}{{^name}}God dag{{/name}}{{/given_name}}",
    "hello_sms": "{{#given_name}}Hei, {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hei, {{name}}!{{/name}}{{^name}}Hei!{{/name}}{{/given_name}}",
    "sum": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}}",
    "days": "{{days_overdue | number}} {{days_overdue | plural: dag, dager}}",
    "due": "forfall",
    "also": "Det er også {{amount | money}} i en annen valuta.",
    "settled": "av {{of | money}} er {{amount | money}} betalt eller kreditert",
    "charges_so_far": "Gebyrer og renter hittil: {{amount | money}}",
    "fee_charged": "Gebyr for denne purringen: {{amount | money}}",
    "in_all": "Å betale i alt: {{total | money}}",
    "fee_announced": "Er det ikke betalt før {{on | date}}, kommer det kostnader på {{amount | money}} i tillegg.",
    "pay": "Betal her",
    "account": "Du kan betale til konto {{creditor_account}}.",
    "plan_link": "Be om en betalingsavtale",
    "paid_link": "Fortell oss at du har betalt",
    "dispute_link": "Fortell oss at noe er galt med regningen",
    "already": "Har du allerede betalt? Da kan du se bort fra denne meldingen. Takk!",
    "plan_email": "Kan du ikke betale alt nå, eller har situasjonen din endret seg, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi finner en avtale som passer.",
    "plan_letter": "Kan du ikke betale alt nå, eller har situasjonen din endret seg, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til oss{{/creditor_phone}}. Vi finner en avtale som passer.",
    "already_sms": "Allerede betalt? Se bort fra dette.",
    "plan_sms": "Avdrag? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt oss{{/creditor_phone}}",
    "optout": "Ikke flere meldinger til denne adressen",
    "regards": "Vennlig hilsen",
    "loss": "Betaler du før {{on | date}}, slipper du et gebyr på {{amount | money}}.",
    "loss_sms": "Betal før {{on | date}}, så slipper du et gebyr på {{amount | money}}.",
    "social": "Kundene våre betaler {{percent | number}} av 100 slike regninger innen 30 dager.",
    "social_sms": "Kundene våre betaler {{percent | number}} av 100 slike regninger innen 30 dager.",
    "cost": "Hver regning som betales for sent, koster i gjennomsnitt {{amount | money}}, som alle kundene til slutt er med på å betale.",
    "cost_sms": "Hver sen betaling koster i snitt {{amount | money}}, som alle kundene er med på å betale.",
    "empathy": "Vi vet at det kan være trangt om pengene. Betal det du kan, eller fortell oss hva som ville passe for deg, så finner vi en løsning sammen.",
    "empathy_sms": "Er det vanskelig akkurat nå? Si fra, så finner vi en løsning.",
    "offer_link": "Se det, og si ja her",
    "call_who": "Spør etter {{#name}}{{name}}{{/name}}{{^name}}kunden{{/name}}, og vær sikker på at det er rett person før du sier hva det gjelder. Si at du ringer for {{creditor_name}}.",
    "visit_who": "Spør etter {{#name}}{{name}}{{/name}}{{^name}}kunden{{/name}}, vis hvem du er, og ikke si til andre hva det gjelder. Si at du kommer fra {{creditor_name}}. Gå med en gang hvis du blir bedt om det.",
    "call_ask": "Spør om betalingen er på vei. Er det betalt, så noter når og hvordan.",
    "call_plan": "Går det ikke å betale nå, så spør hva som kan fungere, og avtal en dato eller avdrag.",
    "call_offer": "Går det ikke å betale nå, så tilby dette og ikke noe annet:",
    "call_end": "Si takk, og noter hva dere ble enige om."
} $$,
$$ [
    {
        "template": "pre-due",
        "subject": "{{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}",
        "opening": "Bare så du vet det: {{amount | money}} til {{creditor_name}} forfaller {{due_on | date}}.",
        "fact": "Bare så du vet det: [[sum]] til {{creditor_name}} forfaller {{due_on | date}}.",
        "nudge": "Betaler du innen da, trenger du ikke å gjøre noe mer.",
        "empathy": "Passer ikke dagen for deg, så si fra. Da finner vi en annen.",
        "empathy_sms": "Passer en annen dag bedre? Si fra."
    },
    {
        "template": "reminder-1",
        "subject": "{{amount | money}} til {{creditor_name}} er fortsatt ubetalt",
        "opening": "Det er lett å glemme: {{amount | money}} til {{creditor_name}} forfalt {{due_on | date}}, for [[days]] siden.",
        "fact": "En påminnelse: [[sum]] til {{creditor_name}} forfalt for [[days]] siden.",
        "nudge": "Det ville hjelpe oss om du kunne betale i løpet av de neste dagene."
    },
    {
        "template": "reminder-2",
        "subject": "{{amount | money}} til {{creditor_name}} forfalt for [[days]] siden",
        "opening": "Vi har ennå ikke mottatt {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for [[days]] siden.",
        "fact": "Vi har ennå ikke mottatt [[sum]] til {{creditor_name}}, som forfalt for [[days]] siden.",
        "nudge": "Betal nå, eller fortell oss hva som står i veien."
    },
    {
        "template": "final-notice",
        "subject": "siste påminnelse om {{amount | money}} til {{creditor_name}}",
        "opening": "Dette er vår siste påminnelse om {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for [[days]] siden.",
        "fact": "Siste påminnelse: [[sum]] til {{creditor_name}} forfalt for [[days]] siden.",
        "nudge": "Betal i løpet av de neste dagene, eller ta kontakt. Etter det må vi vurdere neste steg, og vi vil mye heller løse det sammen med deg.",
        "nudge_sms": "Betal eller ta kontakt i løpet av de neste dagene.",
        "empathy": "Vi vil mye heller løse det sammen med deg enn å gå videre med saken. Fortell oss i løpet av de neste dagene hva du kan betale og når: en avtale er nok til at det stopper her."
    },
    {
        "template": "fee-warning",
        "subject": "{{#fee}}betal før {{on | date}}, så slipper du et gebyr på {{amount | money}}{{/fee}}{{^fee}}{{amount | money}} til {{creditor_name}} er fortsatt ubetalt{{/fee}}",
        "opening": "{{amount | money}} til {{creditor_name}} er fortsatt ubetalt, [[days]] etter forfall.",
        "fact": "[[sum]] til {{creditor_name}} forfalt for [[days]] siden.{{#fee}} [[loss_sms]]{{/fee}}",
        "nudge": "{{#fee}}[[loss]] Fra den dagen kan vi legge det til. {{/fee}}Rekker du ikke å betale i tide, så si fra før det."
    },
    {
        "template": "formal-notice-sms",
        "subject": "vi sender deg et brev om {{amount | money}}",
        "fact": "Vi sender deg et brev om [[sum]] til {{creditor_name}}, som forfalt for [[days]] siden. Du kan ordne det her og nå."
    },
    {
        "template": "after-payday",
        "subject": "passer det nå med {{amount | money}} til {{creditor_name}}?",
        "opening": "{{amount | money}} til {{creditor_name}} er fortsatt ubetalt. Beløpet forfalt {{due_on | date}}, for [[days]] siden.",
        "fact": "[[sum]] til {{creditor_name}} er fortsatt ubetalt, [[days]] etter forfall. Passer det å betale nå?",
        "nudge": "Passer det nå, er det gjort på et minutt. Er en annen dag bedre, så fortell oss hvilken."
    },
    {
        "template": "plan-offer",
        "subject": "en avtale for {{amount | money}} til {{creditor_name}}",
        "opening": "{{amount | money}} til {{creditor_name}} forfalt for [[days]] siden. Vi vil gjerne gjøre det lettere for deg.",
        "fact": "Det finnes en lettere måte å ordne [[sum]] til {{creditor_name}} på, som forfalt for [[days]] siden.{{#offer}}{{#link}} [[offer_link]]: {{link}}{{/link}}{{^link}} {{text}}{{/link}}{{/offer}}",
        "nudge": "Passer det ikke, så fortell oss hva som ville passe. Du kan også når som helst betale alt.",
        "offer_none": "Fortell oss hva som ville passe for deg: mindre beløp eller en senere dag.",
        "ask": "Spør hvordan det går, og hva som kan betales i måneden. Ikke press: målet er en avtale som holder."
    },
    {
        "template": "broken-promise",
        "subject": "om avtalen vår om {{amount | money}} til {{creditor_name}}",
        "opening": "Vi hadde avtalt en betaling som vi ennå ikke har sett. {{amount | money}} til {{creditor_name}} forfalt for [[days]] siden.",
        "fact": "Betalingen vi avtalte, har ikke kommet fram til {{creditor_name}}. [[sum]] forfalt for [[days]] siden.",
        "nudge": "Noe kan ha kommet i veien. Betal nå, eller fortell oss hvilken dag som passer.",
        "ask": "Spør uten bebreidelse hva som kom i veien, og om betalingen er på vei."
    },
    {
        "template": "hearing",
        "subject": "møtet ditt om {{amount | money}} til {{creditor_name}}",
        "opening": "{{#hearing}}Du har et møte{{#on}} {{on | date}}{{/on}}{{#time}} kl. {{time}}{{/time}}{{#place}}, {{place}},{{/place}}{{/hearing}}{{^hearing}}Du har snart et møte{{/hearing}} om {{amount | money}} til {{creditor_name}}. Beløpet forfalt {{due_on | date}}, for [[days]] siden.",
        "fact": "{{#hearing}}Du har et møte{{#on}} {{on | date}}{{/on}}{{#time}} kl. {{time}}{{/time}}{{/hearing}}{{^hearing}}Du har snart et møte{{/hearing}} om [[sum]] til {{creditor_name}}, som forfalt for [[days]] siden.",
        "nudge": "Betaler du før det, eller gjør en avtale med oss, blir det kanskje ikke nødvendig. Kan du ikke komme, så si fra."
    },
    {
        "template": "payment-thanks",
        "subject": "takk for betalingen til {{creditor_name}}",
        "opening": "Takk! Vi har mottatt betalingen din til {{creditor_name}}.",
        "fact": "Takk! {{creditor_name}} har mottatt betalingen din.",
        "nudge": "Har du spørsmål om den, så svar på denne e-posten{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}."
    },
    {
        "template": "visit",
        "subject": "besøk om {{amount | money}} til {{creditor_name}}",
        "opening": "{{amount | money}} til {{creditor_name}} forfalt {{due_on | date}}, for [[days]] siden.",
        "ask": "Spør om det er noe med regningen vi bør vite. Ikke ta imot kontanter med mindre du har fått beskjed om det, og gi alltid kvittering."
    },
    {
        "template": "call",
        "subject": "samtale om {{amount | money}} til {{creditor_name}}",
        "opening": "{{amount | money}} til {{creditor_name}} forfalt {{due_on | date}}, for [[days]] siden."
    }
] $$);
