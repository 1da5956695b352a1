-- Swedish.

SELECT dunning._ship_templates('sv',
$$ {
    "hello": "{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}",
    "dear": "{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}",
    "hello_sms": "{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}",
    "due": "förfallodag",
    "also": "I en annan valuta finns också",
    "pay": "Betala här",
    "account": "Du kan betala till konto {{creditor_account}}.",
    "already": "Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!",
    "plan_email": "Kan du inte betala allt nu, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi hittar en plan som passar.",
    "plan_letter": "Kan du inte betala allt nu, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv till oss{{/creditor_phone}}. Vi hittar en plan som passar.",
    "already_sms": "Redan betalat? Bortse från detta.",
    "plan_sms": "Behöver du en plan? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakta oss{{/creditor_phone}}",
    "regards": "Vänliga hälsningar",
    "call_who": "Fråga efter {{name}} och försäkra dig om att det är rätt person innan du säger vad det gäller. Säg att du ringer för {{creditor_name}}.",
    "call_ask": "Fråga om betalningen är på väg. Om det är betalt, notera när och hur.",
    "call_plan": "Går det inte att betala nu, fråga vad som skulle fungera och kom överens om ett datum eller en delbetalning.",
    "call_end": "Tacka och notera vad ni kom överens om."
} $$,
$$ [
    {
        "template": "pre-due",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} förfaller {{due_on | date}}",
        "opening": "Bara så att du vet: {{amount | money}} till {{creditor_name}} förfaller den {{due_on | date}}.",
        "nudge": {
            "neutral": "Betalar du före dess behöver du inte göra något mer.",
            "loss_aversion": "Betalar du före dess är det klart, och det kommer inga påminnelser."},
        "sms": {
            "neutral": "Bara så att du vet: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förfaller den {{due_on | date}}.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förfaller den {{due_on | date}}. Betala före dess så kommer inga påminnelser."}
    },
    {
        "template": "reminder-1",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} är fortfarande obetalt",
        "opening": "Det är lätt att missa: {{amount | money}} till {{creditor_name}} förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.",
        "nudge": {
            "neutral": "Det vore till stor hjälp om du kunde betala inom de närmaste dagarna.",
            "loss_aversion": "Betalar du nu är det klart, och du får inga fler påminnelser."},
        "sms": {
            "neutral": "En påminnelse: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan. Betala nu så kommer inga fler påminnelser."}
    },
    {
        "template": "reminder-2",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}{{amount | money}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan",
        "opening": "Vi har ännu inte fått {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.",
        "nudge": {
            "neutral": "Betala nu, eller berätta för oss vad som står i vägen.",
            "loss_aversion": "Betalar du nu är saken ur världen, innan den tar mer av din tid. Står något i vägen, så berätta det för oss."},
        "sms": {
            "neutral": "Vi har ännu inte fått {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}}, som förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.",
            "loss_aversion": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan. Betala nu så är saken ur världen."}
    },
    {
        "template": "final-notice",
        "subject": "{{#given_name}}{{given_name}}: {{/given_name}}sista påminnelsen om {{amount | money}} till {{creditor_name}}",
        "opening": "Det här är vår sista påminnelse om {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan.",
        "nudge": {
            "neutral": "Betala inom de närmaste dagarna, eller hör av dig. Därefter måste vi överväga nästa steg, och vi löser det mycket hellre tillsammans med dig.",
            "loss_aversion": "Betalar du nu slutar det här, före nästa steg. Går inte det, så hör av dig inom de närmaste dagarna: även en plan stoppar ärendet."},
        "sms": {
            "neutral": "Sista påminnelsen: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan. Betala eller hör av dig inom de närmaste dagarna.",
            "loss_aversion": "Sista påminnelsen: {{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}} till {{creditor_name}} förföll för {{days_overdue | number}} {{days_overdue | plural: dag, dagar}} sedan. Betala nu så slutar det här, före nästa steg."}
    }
] $$);
