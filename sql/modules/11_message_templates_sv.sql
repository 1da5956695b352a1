-- Swedish.

SELECT dunning._ship_templates('sv',
$$ {
    "who": "{{#given_name}}{{given_name}}: {{/given_name}}{{^given_name}}{{#name}}{{name}}: {{/name}}{{/given_name}}",
    "hello": "{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}",
    "dear": "{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}",
    "hello_sms": "{{#given_name}}Hej {{given_name}}!{{/given_name}}{{^given_name}}{{#name}}Hej {{name}}!{{/name}}{{^name}}Hej!{{/name}}{{/given_name}}",
    "sum": "{{amount | money}}{{#other_currencies}} + {{amount | money}}{{/other_currencies}}",
    "days": "{{days_overdue | number}} {{days_overdue | plural: dag, dagar}}",
    "due": "förfallodag",
    "also": "Det finns också {{amount | money}} i en annan valuta.",
    "settled": "av {{of | money}} är {{amount | money}} betalt eller krediterat",
    "charges_so_far": "Avgifter och ränta hittills: {{amount | money}}",
    "fee_charged": "Avgift för denna påminnelse: {{amount | money}}",
    "in_all": "Att betala totalt: {{total | money}}",
    "fee_announced": "Om det inte är betalt före {{on | date}} tillkommer {{amount | money}} i kostnader.",
    "pay": "Betala här",
    "account": "Du kan betala till konto {{creditor_account}}.",
    "plan_link": "Be om en betalningsplan",
    "paid_link": "Berätta att du har betalat",
    "dispute_link": "Berätta att något är fel med räkningen",
    "already": "Har du redan betalat? Då kan du bortse från det här meddelandet. Tack!",
    "plan_email": "Kan du inte betala allt nu, eller har din situation ändrats, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}. Vi hittar en plan som passar.",
    "plan_letter": "Kan du inte betala allt nu, eller har din situation ändrats, så {{#creditor_phone}}ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}skriv till oss{{/creditor_phone}}. Vi hittar en plan som passar.",
    "already_sms": "Redan betalat? Bortse från detta.",
    "plan_sms": "Delbetala? {{#creditor_phone}}Ring {{creditor_phone}}{{/creditor_phone}}{{^creditor_phone}}Kontakta oss{{/creditor_phone}}",
    "optout": "Inga fler meddelanden till den här adressen",
    "regards": "Vänliga hälsningar",
    "loss": "Betalar du före den {{on | date}} slipper du en avgift på {{amount | money}}.",
    "loss_sms": "Betala före den {{on | date}} så slipper du en avgift på {{amount | money}}.",
    "social": "Våra kunder betalar {{percent | number}} av 100 sådana här räkningar inom 30 dagar.",
    "social_sms": "Våra kunder betalar {{percent | number}} av 100 sådana här räkningar inom 30 dagar.",
    "cost": "Varje räkning som betalas för sent kostar i genomsnitt {{amount | money}}, som alla kunder till slut är med och betalar.",
    "cost_sms": "Varje sen betalning kostar i snitt {{amount | money}}, som alla kunder är med och betalar.",
    "empathy": "Vi vet att det kan vara ont om pengar ibland. Betala det du kan, eller berätta vad som skulle fungera för dig, så hittar vi en lösning tillsammans.",
    "empathy_sms": "Är det svårt just nu? Hör av dig så hittar vi en lösning.",
    "offer_link": "Se det och tacka ja här",
    "call_who": "Fråga efter {{#name}}{{name}}{{/name}}{{^name}}kunden{{/name}} och försäkra dig om att det är rätt person innan du säger vad det gäller. Säg att du ringer för {{creditor_name}}.",
    "visit_who": "Fråga efter {{#name}}{{name}}{{/name}}{{^name}}kunden{{/name}}, visa vem du är och säg inte till någon annan vad det gäller. Säg att du kommer från {{creditor_name}}. Gå genast om du blir ombedd att göra det.",
    "call_ask": "Fråga om betalningen är på väg. Om det är betalt, notera när och hur.",
    "call_plan": "Går det inte att betala nu, fråga vad som skulle fungera och kom överens om ett datum eller en delbetalning.",
    "call_offer": "Går det inte att betala nu, erbjud detta och inget annat:",
    "call_end": "Tacka och notera vad ni kom överens om."
} $$,
$$ [
    {
        "template": "pre-due",
        "subject": "{{amount | money}} till {{creditor_name}} förfaller {{due_on | date}}",
        "opening": "Bara så att du vet: {{amount | money}} till {{creditor_name}} förfaller den {{due_on | date}}.",
        "fact": "Bara så att du vet: [[sum]] till {{creditor_name}} förfaller den {{due_on | date}}.",
        "nudge": "Betalar du senast då behöver du inte göra något mer.",
        "empathy": "Passar dagen inte dig, så hör av dig. Då hittar vi en annan.",
        "empathy_sms": "Passar en annan dag bättre? Hör av dig."
    },
    {
        "template": "reminder-1",
        "subject": "{{amount | money}} till {{creditor_name}} är fortfarande obetalt",
        "opening": "Det är lätt att missa: {{amount | money}} till {{creditor_name}} förföll den {{due_on | date}}, för [[days]] sedan.",
        "fact": "En påminnelse: [[sum]] till {{creditor_name}} förföll för [[days]] sedan.",
        "nudge": "Det vore till stor hjälp om du kunde betala inom de närmaste dagarna."
    },
    {
        "template": "reminder-2",
        "subject": "{{amount | money}} till {{creditor_name}} förföll för [[days]] sedan",
        "opening": "Vi har ännu inte fått {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för [[days]] sedan.",
        "fact": "Vi har ännu inte fått [[sum]] till {{creditor_name}}, som förföll för [[days]] sedan.",
        "nudge": "Betala nu, eller berätta för oss vad som står i vägen."
    },
    {
        "template": "final-notice",
        "subject": "sista påminnelsen om {{amount | money}} till {{creditor_name}}",
        "opening": "Det här är vår sista påminnelse om {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för [[days]] sedan.",
        "fact": "Sista påminnelsen: [[sum]] till {{creditor_name}} förföll för [[days]] sedan.",
        "nudge": "Betala inom de närmaste dagarna, eller hör av dig. Därefter måste vi överväga nästa steg, och vi löser det mycket hellre tillsammans med dig.",
        "nudge_sms": "Betala eller hör av dig inom de närmaste dagarna.",
        "empathy": "Vi löser det mycket hellre tillsammans med dig än går vidare. Berätta inom de närmaste dagarna vad du kan betala och när: en plan räcker för att det ska stanna här."
    },
    {
        "template": "fee-warning",
        "subject": "{{#fee}}betala före den {{on | date}} så slipper du en avgift på {{amount | money}}{{/fee}}{{^fee}}{{amount | money}} till {{creditor_name}} är fortfarande obetalt{{/fee}}",
        "opening": "{{amount | money}} till {{creditor_name}} är fortfarande obetalt, [[days]] efter förfallodagen.",
        "fact": "[[sum]] till {{creditor_name}} förföll för [[days]] sedan.{{#fee}} [[loss_sms]]{{/fee}}",
        "nudge": "{{#fee}}[[loss]] Från den dagen kan vi lägga till den. {{/fee}}Hinner du inte betala i tid, så hör av dig innan dess."
    },
    {
        "template": "formal-notice-sms",
        "subject": "vi skickar ett brev till dig om {{amount | money}}",
        "fact": "Vi skickar ett brev till dig om [[sum]] till {{creditor_name}}, som förföll för [[days]] sedan. Du kan ordna det direkt här."
    },
    {
        "template": "after-payday",
        "subject": "passar det nu med {{amount | money}} till {{creditor_name}}?",
        "opening": "{{amount | money}} till {{creditor_name}} är fortfarande obetalt. Beloppet förföll den {{due_on | date}}, för [[days]] sedan.",
        "fact": "[[sum]] till {{creditor_name}} är fortfarande obetalt, [[days]] efter förfallodagen. Passar det att betala nu?",
        "nudge": "Passar det nu tar det bara en minut. Är en annan dag bättre, så berätta vilken."
    },
    {
        "template": "plan-offer",
        "subject": "en plan för {{amount | money}} till {{creditor_name}}",
        "opening": "{{amount | money}} till {{creditor_name}} förföll för [[days]] sedan. Vi vill gärna göra det lättare för dig.",
        "fact": "Det finns ett lättare sätt att ordna [[sum]] till {{creditor_name}}, som förföll för [[days]] sedan.{{#offer}}{{#link}} [[offer_link]]: {{link}}{{/link}}{{^link}} {{text}}{{/link}}{{/offer}}",
        "nudge": "Passar det inte, så berätta vad som skulle passa. Du kan också när som helst betala allt.",
        "offer_none": "Berätta vad som skulle passa dig: mindre belopp eller en senare dag.",
        "ask": "Fråga hur det är och vad som går att betala i månaden. Pressa inte: målet är en plan som håller."
    },
    {
        "template": "broken-promise",
        "subject": "om vår överenskommelse om {{amount | money}} till {{creditor_name}}",
        "opening": "Vi hade kommit överens om en betalning som vi ännu inte har sett. {{amount | money}} till {{creditor_name}} förföll för [[days]] sedan.",
        "fact": "Betalningen som vi kom överens om har inte kommit till {{creditor_name}}. [[sum]] förföll för [[days]] sedan.",
        "nudge": "Något kan ha kommit emellan. Betala nu, eller berätta vilken dag som passar.",
        "ask": "Fråga utan förebråelser vad som kom emellan, och om betalningen är på väg."
    },
    {
        "template": "hearing",
        "subject": "ditt möte om {{amount | money}} till {{creditor_name}}",
        "opening": "{{#hearing}}Du har ett möte{{#on}} den {{on | date}}{{/on}}{{#time}} kl. {{time}}{{/time}}{{#place}}, {{place}},{{/place}}{{/hearing}}{{^hearing}}Du har snart ett möte{{/hearing}} om {{amount | money}} till {{creditor_name}}. Beloppet förföll den {{due_on | date}}, för [[days]] sedan.",
        "fact": "{{#hearing}}Du har ett möte{{#on}} den {{on | date}}{{/on}}{{#time}} kl. {{time}}{{/time}}{{/hearing}}{{^hearing}}Du har snart ett möte{{/hearing}} om [[sum]] till {{creditor_name}}, som förföll för [[days]] sedan.",
        "nudge": "Betalar du innan dess, eller gör upp en plan med oss, behövs det kanske inte. Kan du inte komma, så hör av dig."
    },
    {
        "template": "payment-thanks",
        "subject": "tack för din betalning till {{creditor_name}}",
        "opening": "Tack! Vi har fått din betalning till {{creditor_name}}.",
        "fact": "Tack! {{creditor_name}} har fått din betalning.",
        "nudge": "Har du en fråga om den, så svara på det här mejlet{{#creditor_phone}} eller ring {{creditor_phone}}{{/creditor_phone}}."
    },
    {
        "template": "visit",
        "subject": "besök om {{amount | money}} till {{creditor_name}}",
        "opening": "{{amount | money}} till {{creditor_name}} förföll den {{due_on | date}}, för [[days]] sedan.",
        "ask": "Fråga om det är något med räkningen som vi bör veta. Ta inte emot kontanter om du inte har fått besked om det, och ge alltid ett kvitto."
    },
    {
        "template": "call",
        "subject": "samtal om {{amount | money}} till {{creditor_name}}",
        "opening": "{{amount | money}} till {{creditor_name}} förföll den {{due_on | date}}, för [[days]] sedan."
    }
] $$);
