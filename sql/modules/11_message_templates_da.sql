-- Danish.

SELECT dunning._ship_templates('da',
$$ {
    "who": "{{#given_name}}{{given_name}}: {{/given_name}}{{^given_name}}{{#name}}{{name}}: {{/name}}{{/given_name}}",
    "hello": "{{#given_name}}Hej {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}{{/name}}{{^name}}Hej{{/name}}{{/given_name}}",
    "dear": "{{#given_name}}Kære {{given_name}}{{/given_name}}{{^given_name}}{{#name}}Kære {{name}}{{/name}}{{^name}}Goddag{{/name}}{{/given_name}}",
    "hello_sms": "{{#given_name}}Hej {{given_name}}.{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}.{{/name}}{{^name}}Hej.{{/name}}{{/given_name}}",
    "sum": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}}",
    "days": "{{days_overdue | number}} {{days_overdue | plural: dag, dage}}",
    "due": "forfald",
    "also": "Der er også {{amount | money}} i en anden valuta.",
    "settled": "af {{of | money}} er {{amount | money}} betalt eller krediteret",
    "charges_so_far": "Gebyrer og renter indtil nu: {{amount | money}}",
    "fee_charged": "Gebyr for denne rykker: {{amount | money}}",
    "in_all": "At betale i alt: {{total | money}}",
    "fee_announced": "Er det ikke betalt før {{on | date}}, kommer der omkostninger på {{amount | money}} til.",
    "pay": "Betal her",
    "account": "Du kan betale til konto {{creditor_account}}.",
    "plan_link": "Bed om en betalingsordning",
    "paid_link": "Fortæl os, at du har betalt",
    "dispute_link": "Fortæl os, at der er noget galt med regningen",
    "already": "Har du allerede betalt? Så se bort fra denne besked, og tak for det.",
    "plan_email": "Kan du ikke betale det hele nu, eller har din situation ændret sig, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}. Så finder vi en ordning, der passer.",
    "plan_letter": "Kan du ikke betale det hele nu, eller har din situation ændret sig, så {{#creditor_phone}}ring på {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv til os{{/creditor_phone}}. Så finder vi en ordning, der passer.",
    "already_sms": "Allerede betalt? Se bort fra dette.",
    "plan_sms": "Afdrag? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakt os{{/creditor_phone}}",
    "optout": "Ikke flere beskeder til denne adresse",
    "regards": "Venlig hilsen",
    "loss": "Betaler du før den {{on | date}}, slipper du for {{amount | money}} i gebyr.",
    "loss_sms": "Betal før den {{on | date}}, så slipper du for {{amount | money}} i gebyr.",
    "social": "Vores kunder betaler {{percent | number}} ud af 100 regninger som denne inden for 30 dage.",
    "social_sms": "Vores kunder betaler {{percent | number}} af 100 regninger som denne inden for 30 dage.",
    "cost": "Hver regning, der betales for sent, koster i gennemsnit {{amount | money}}, som alle kunder til sidst er med til at betale.",
    "cost_sms": "Hver sen betaling koster i snit {{amount | money}}, som alle kunder er med til at betale.",
    "empathy": "Vi ved, at pengene kan være små. Betal det, du kan, eller fortæl os, hvad der ville passe dig, så finder vi en løsning sammen.",
    "empathy_sms": "Er det svært lige nu? Sig til, så finder vi en løsning.",
    "offer_link": "Se det, og sig ja her",
    "call_who": "Spørg efter {{#name}}{{name}}{{/name}}{{^name}}kunden{{/name}}, og vær sikker på, at det er den rigtige, før du siger, hvad det drejer sig om. Sig, at du ringer for {{creditor_name}}.",
    "visit_who": "Spørg efter {{#name}}{{name}}{{/name}}{{^name}}kunden{{/name}}, vis, hvem du er, og sig ikke til andre, hvad det drejer sig om. Sig, at du kommer fra {{creditor_name}}. Gå straks, hvis du bliver bedt om det.",
    "call_ask": "Spørg, om betalingen er på vej. Er der betalt, så notér hvornår og hvordan.",
    "call_plan": "Kan der ikke betales nu, så spørg, hvad der kan lade sig gøre, og aftal en dato eller afdrag.",
    "call_offer": "Kan der ikke betales nu, så tilbyd dette og ikke andet:",
    "call_end": "Sig tak, og notér, hvad der blev aftalt."
} $$,
$$ [
    {
        "template": "pre-due",
        "subject": "{{amount | money}} til {{creditor_name}} forfalder {{due_on | date}}",
        "opening": "Bare til din orientering: {{amount | money}} til {{creditor_name}} forfalder den {{due_on | date}}.",
        "fact": "Til orientering: [[sum]] til {{creditor_name}} forfalder den {{due_on | date}}.",
        "nudge": "Betaler du inden da, skal du ikke gøre mere.",
        "empathy": "Passer dagen dig ikke, så sig til. Så finder vi en anden.",
        "empathy_sms": "Passer en anden dag bedre? Sig til."
    },
    {
        "template": "reminder-1",
        "subject": "{{amount | money}} til {{creditor_name}} mangler stadig",
        "opening": "Det kan let smutte: {{amount | money}} til {{creditor_name}} skulle være betalt den {{due_on | date}}, for [[days]] siden.",
        "fact": "En venlig påmindelse: [[sum]] til {{creditor_name}} forfaldt for [[days]] siden.",
        "nudge": "Det ville hjælpe os, hvis du kunne betale i løbet af de næste dage."
    },
    {
        "template": "reminder-2",
        "subject": "{{amount | money}} til {{creditor_name}} forfaldt for [[days]] siden",
        "opening": "Vi har endnu ikke modtaget {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for [[days]] siden.",
        "fact": "Vi mangler stadig [[sum]] til {{creditor_name}}, der forfaldt for [[days]] siden.",
        "nudge": "Betal nu, eller fortæl os, hvad der står i vejen."
    },
    {
        "template": "final-notice",
        "subject": "sidste påmindelse om {{amount | money}} til {{creditor_name}}",
        "opening": "Dette er vores sidste påmindelse om {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for [[days]] siden.",
        "fact": "Sidste påmindelse: [[sum]] til {{creditor_name}} forfaldt for [[days]] siden.",
        "nudge": "Betal i løbet af de næste dage, eller kontakt os. Derefter må vi overveje, hvad vi så gør, og vi vil langt hellere løse det sammen med dig.",
        "nudge_sms": "Betal eller kontakt os i de nærmeste dage.",
        "empathy": "Vi vil langt hellere løse det sammen med dig end gå videre med sagen. Fortæl os i løbet af de næste dage, hvad du kan betale og hvornår: En ordning er nok til, at det stopper her."
    },
    {
        "template": "fee-warning",
        "subject": "{{#fee}}betal før den {{on | date}}, så undgår du et gebyr på {{amount | money}}{{/fee}}{{^fee}}{{amount | money}} til {{creditor_name}} mangler stadig{{/fee}}",
        "opening": "{{amount | money}} til {{creditor_name}} mangler stadig, [[days]] efter forfald.",
        "fact": "[[sum]] til {{creditor_name}} forfaldt for [[days]] siden.{{#fee}} [[loss_sms]]{{/fee}}",
        "nudge": "{{#fee}}[[loss]] Fra den dag kan vi lægge det til. {{/fee}}Kan du ikke betale i tide, så sig til inden."
    },
    {
        "template": "formal-notice-sms",
        "subject": "vi sender dig et brev om {{amount | money}}",
        "fact": "Vi sender dig et brev om [[sum]] til {{creditor_name}}, der forfaldt for [[days]] siden. Du kan klare det lige her."
    },
    {
        "template": "after-payday",
        "subject": "passer det nu med {{amount | money}} til {{creditor_name}}?",
        "opening": "{{amount | money}} til {{creditor_name}} mangler stadig. Beløbet forfaldt den {{due_on | date}}, for [[days]] siden.",
        "fact": "[[sum]] til {{creditor_name}} mangler stadig, [[days]] efter forfald. Passer det at betale nu?",
        "nudge": "Passer det nu, er det gjort på et øjeblik. Er en anden dag bedre, så fortæl os hvilken."
    },
    {
        "template": "plan-offer",
        "subject": "en ordning for {{amount | money}} til {{creditor_name}}",
        "opening": "{{amount | money}} til {{creditor_name}} forfaldt for [[days]] siden. Vi vil gerne gøre det lettere for dig.",
        "fact": "Der er en lettere måde at klare [[sum]] til {{creditor_name}} på, der forfaldt for [[days]] siden.{{#offer}}{{#link}} [[offer_link]]: {{link}}{{/link}}{{^link}} {{text}}{{/link}}{{/offer}}",
        "nudge": "Passer det ikke, så fortæl os, hvad der ville passe. Du kan også altid betale det hele.",
        "offer_none": "Fortæl os, hvad der ville passe dig: mindre beløb eller en senere dag.",
        "ask": "Spørg, hvordan det går, og hvad der kan betales om måneden. Pres ikke: Målet er en ordning, der holder."
    },
    {
        "template": "broken-promise",
        "subject": "om vores aftale om {{amount | money}} til {{creditor_name}}",
        "opening": "Vi havde aftalt en betaling, som vi endnu ikke har set. {{amount | money}} til {{creditor_name}} forfaldt for [[days]] siden.",
        "fact": "Den betaling, vi aftalte, er ikke nået frem til {{creditor_name}}. [[sum]] forfaldt for [[days]] siden.",
        "nudge": "Der kan være kommet noget i vejen. Betal nu, eller fortæl os, hvilken dag der passer.",
        "ask": "Spørg uden bebrejdelse, hvad der kom i vejen, og om betalingen er på vej."
    },
    {
        "template": "hearing",
        "subject": "dit møde om {{amount | money}} til {{creditor_name}}",
        "opening": "{{#hearing}}Du har et møde{{#on}} den {{on | date}}{{/on}}{{#time}} kl. {{time}}{{/time}}{{#place}}, {{place}},{{/place}}{{/hearing}}{{^hearing}}Du har snart et møde{{/hearing}} om {{amount | money}} til {{creditor_name}}. Beløbet forfaldt den {{due_on | date}}, for [[days]] siden.",
        "fact": "{{#hearing}}Du har et møde{{#on}} den {{on | date}}{{/on}}{{#time}} kl. {{time}}{{/time}}{{/hearing}}{{^hearing}}Du har snart et møde{{/hearing}} om [[sum]] til {{creditor_name}}, der forfaldt for [[days]] siden.",
        "nudge": "Betaler du inden, eller aftaler du en ordning med os, bliver det måske ikke nødvendigt. Kan du ikke komme, så sig til."
    },
    {
        "template": "payment-thanks",
        "subject": "tak for din betaling til {{creditor_name}}",
        "opening": "Tak. Vi har modtaget din betaling til {{creditor_name}}.",
        "fact": "Tak. {{creditor_name}} har modtaget din betaling.",
        "nudge": "Har du spørgsmål til den, så svar på denne mail{{#creditor_phone}} eller ring på {{creditor_phone}}{{/creditor_phone}}."
    },
    {
        "template": "visit",
        "subject": "besøg om {{amount | money}} til {{creditor_name}}",
        "opening": "{{amount | money}} til {{creditor_name}} forfaldt den {{due_on | date}}, for [[days]] siden.",
        "ask": "Spørg, om der er noget ved regningen, vi bør vide. Tag ikke imod kontanter, medmindre du har fået besked på det, og giv altid kvittering."
    },
    {
        "template": "call",
        "subject": "opkald om {{amount | money}} til {{creditor_name}}",
        "opening": "{{amount | money}} til {{creditor_name}} forfaldt den {{due_on | date}}, for [[days]] siden."
    }
] $$);
