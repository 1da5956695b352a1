-- The words of the report.

CREATE FUNCTION dunning._labels(language text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$fn$
    SELECT (l -> 'en') || coalesce(l -> lower(split_part(replace(language, '_', '-'), '-', 1)), '{}')
           || jsonb_build_object('lang', CASE WHEN l ? lower(split_part(replace(language, '_', '-'), '-', 1)) THEN lower(split_part(replace(language, '_', '-'), '-', 1)) ELSE 'en' END)
    FROM (SELECT $json${
"en": {"title": "Collections report", "as_of": "as of", "warnings": "Warnings", "all_well": "Nothing to warn of.", "figures": "Key figures", "overdue": "Overdue", "received_7": "Received, 7 days",
 "received_30": "Received, 30 days", "kept": "Promises kept", "before": "before", "of": "of", "none": "none", "ageing": "How old is what is open", "bucket": "Days past due", "amount": "Amount", "invoices": "Invoices",
 "debtors": "Debtors", "not_due": "not yet due", "over": "over", "reach": "Whom we reached, in the last 90 days", "segment": "Segment", "channel": "Channel", "contacted": "Contacted", "reached": "Reached (receipt, answer)", "paid_14": "Paid in 14 days",
 "cost": "Cost", "stopped": "Opt-outs, complaints", "few": "Rows in italics: fewer than 30 debtors, too few to compare.", "history": "Open balance, last 13 weeks", "week": "Day", "hours": "When debtors respond and pay, local time, 180 days",
 "hour": "Hour", "days": "Mon,Tue,Wed,Thu,Fri,Sat,Sun", "held": "What is held, and why", "reason": "Reason", "messages": "Messages", "holds": "Holds", "next": "Planned for the next 7 days", "day": "Day", "no_data": "No data yet.",
 "w_ledger": "The ledger is not usable ({}): every contact is held.", "w_delivery": "Delivery is {}: nothing leaves.", "w_zero": "{} messages were due in the last 7 days and none was sent.", "w_dead": "{} messages could not be delivered in the last 7 days (dead letters).",
 "w_unknown": "{} messages have an unknown fate: wait for receipts or ask the gateway.", "w_paused": "Server {} is paused.", "w_down": "Server {}: most attempts of the last 24 hours failed.", "w_tasks": "{} tasks are overdue on the worklist.", "w_scores": "There are no scores yet.",
 "debtor": "Debtor", "preferences": "Preferences", "name": "Name", "language": "Language", "country": "Country", "preferred": "Preferred channel", "consent": "Consent", "email": "E-mail", "phone": "Phone", "balance": "Balance", "dpd": "days past due",
 "diagnosis": "Diagnosis", "p30": "Pays within 30 days", "conversation": "Conversation", "when": "When", "what": "What", "text": "Text", "invoice": "Invoice", "due": "Due", "open": "Open", "promises": "Promises", "state": "State", "next_contact": "Next contact",
 "last_contact": "Last contact", "until": "until",
 "cases": "Handed over and written off", "recipient": "Recipient", "collected": "Came in since", "commission": "Commission", "case_agency": "agency", "case_court": "court", "case_write_off": "written off"},
"de": {"title": "Inkassobericht", "as_of": "Stand", "warnings": "Warnungen", "all_well": "Keine Warnungen.", "figures": "Kennzahlen", "overdue": "Überfällig", "received_7": "Eingegangen, 7 Tage",
 "received_30": "Eingegangen, 30 Tage", "kept": "Zusagen eingehalten", "before": "zuvor", "of": "von", "none": "keine", "ageing": "Alter der offenen Posten", "bucket": "Tage überfällig", "amount": "Betrag", "invoices": "Rechnungen",
 "debtors": "Schuldner", "not_due": "noch nicht fällig", "over": "über", "reach": "Wen wir erreicht haben, letzte 90 Tage", "segment": "Segment", "channel": "Kanal", "contacted": "Kontaktiert", "reached": "Erreicht (Quittung, Antwort)", "paid_14": "Bezahlt in 14 Tagen",
 "cost": "Kosten", "stopped": "Abmeldungen, Beschwerden", "few": "Kursive Zeilen: weniger als 30 Schuldner, zu wenige für einen Vergleich.", "history": "Offener Saldo, letzte 13 Wochen", "week": "Tag", "hours": "Wann Schuldner antworten und zahlen, Ortszeit, 180 Tage",
 "hour": "Stunde", "days": "Mo,Di,Mi,Do,Fr,Sa,So", "held": "Was angehalten ist, und warum", "reason": "Grund", "messages": "Nachrichten", "holds": "Sperren", "next": "Geplant für die nächsten 7 Tage", "day": "Tag", "no_data": "Noch keine Daten.",
 "w_ledger": "Das Hauptbuch ist nicht verwendbar ({}): jeder Kontakt ist angehalten.", "w_delivery": "Der Versand steht auf {}: nichts geht hinaus.", "w_zero": "{} Nachrichten waren in den letzten 7 Tagen fällig, keine wurde gesendet.", "w_dead": "{} Nachrichten waren in den letzten 7 Tagen nicht zustellbar.",
 "w_unknown": "Bei {} Nachrichten ist unbekannt, ob sie ankamen: Quittungen abwarten oder beim Anbieter nachfragen.", "w_paused": "Server {} ist angehalten.", "w_down": "Server {}: die meisten Versuche der letzten 24 Stunden scheiterten.", "w_tasks": "{} Aufgaben sind überfällig.", "w_scores": "Es gibt noch keine Bewertungen.",
 "debtor": "Schuldner", "preferences": "Vorlieben", "name": "Name", "language": "Sprache", "country": "Land", "preferred": "Bevorzugter Kanal", "consent": "Einwilligung", "email": "E-Mail", "phone": "Telefon", "balance": "Saldo", "dpd": "Tage überfällig",
 "diagnosis": "Diagnose", "p30": "Zahlt binnen 30 Tagen", "conversation": "Verlauf", "when": "Wann", "what": "Was", "text": "Text", "invoice": "Rechnung", "due": "Fällig", "open": "Offen", "promises": "Zusagen", "state": "Stand", "next_contact": "Nächster Kontakt",
 "last_contact": "Letzter Kontakt", "until": "bis",
 "cases": "Abgegeben und ausgebucht", "recipient": "Empfänger", "collected": "Seither eingegangen", "commission": "Provision", "case_agency": "Inkassobüro", "case_court": "Gericht", "case_write_off": "ausgebucht"},
"nl": {"title": "Incassorapport", "as_of": "stand van", "warnings": "Waarschuwingen", "all_well": "Geen waarschuwingen.", "figures": "Kerncijfers", "overdue": "Achterstallig", "received_7": "Ontvangen, 7 dagen",
 "received_30": "Ontvangen, 30 dagen", "kept": "Toezeggingen nagekomen", "before": "daarvoor", "of": "van", "none": "geen", "ageing": "Ouderdom van openstaande posten", "bucket": "Dagen te laat", "amount": "Bedrag", "invoices": "Facturen",
 "debtors": "Debiteuren", "not_due": "nog niet vervallen", "over": "meer dan", "reach": "Wie wij bereikten, laatste 90 dagen", "segment": "Segment", "channel": "Kanaal", "contacted": "Benaderd", "reached": "Bereikt (bevestiging, antwoord)", "paid_14": "Betaald binnen 14 dagen",
 "cost": "Kosten", "stopped": "Afmeldingen, klachten", "few": "Cursieve regels: minder dan 30 debiteuren, te weinig om te vergelijken.", "history": "Openstaand saldo, laatste 13 weken", "week": "Dag", "hours": "Wanneer debiteuren reageren en betalen, lokale tijd, 180 dagen",
 "hour": "Uur", "days": "ma,di,wo,do,vr,za,zo", "held": "Wat is aangehouden, en waarom", "reason": "Reden", "messages": "Berichten", "holds": "Blokkades", "next": "Gepland voor de komende 7 dagen", "day": "Dag", "no_data": "Nog geen gegevens.",
 "w_ledger": "Het grootboek is niet bruikbaar ({}): elk contact wordt aangehouden.", "w_delivery": "Verzending staat op {}: er gaat niets uit.", "w_zero": "{} berichten waren de laatste 7 dagen aan de beurt en geen enkel is verzonden.", "w_dead": "{} berichten konden de laatste 7 dagen niet worden bezorgd.",
 "w_unknown": "Van {} berichten is het lot onbekend: wacht op bevestigingen of vraag het de aanbieder.", "w_paused": "Server {} is gepauzeerd.", "w_down": "Server {}: de meeste pogingen van de laatste 24 uur mislukten.", "w_tasks": "{} taken zijn over tijd.", "w_scores": "Er zijn nog geen scores.",
 "debtor": "Debiteur", "preferences": "Voorkeuren", "name": "Naam", "language": "Taal", "country": "Land", "preferred": "Voorkeurskanaal", "consent": "Toestemming", "email": "E-mail", "phone": "Telefoon", "balance": "Saldo", "dpd": "dagen te laat",
 "diagnosis": "Diagnose", "p30": "Betaalt binnen 30 dagen", "conversation": "Gesprek", "when": "Wanneer", "what": "Wat", "text": "Tekst", "invoice": "Factuur", "due": "Vervalt", "open": "Open", "promises": "Toezeggingen", "state": "Stand", "next_contact": "Volgend contact",
 "last_contact": "Laatste contact", "until": "tot",
 "cases": "Uit handen gegeven en afgeschreven", "recipient": "Ontvanger", "collected": "Sindsdien ontvangen", "commission": "Commissie", "case_agency": "incassobureau", "case_court": "rechtbank", "case_write_off": "afgeschreven"},
"da": {"title": "Inkassorapport", "as_of": "pr.", "warnings": "Advarsler", "all_well": "Ingen advarsler.", "figures": "Nøgletal", "overdue": "Forfaldent", "received_7": "Modtaget, 7 dage",
 "received_30": "Modtaget, 30 dage", "kept": "Løfter holdt", "before": "før", "of": "af", "none": "ingen", "ageing": "Hvor gammelt er det udestående", "bucket": "Dage over forfald", "amount": "Beløb", "invoices": "Fakturaer",
 "debtors": "Skyldnere", "not_due": "endnu ikke forfaldent", "over": "over", "reach": "Hvem vi nåede, seneste 90 dage", "segment": "Segment", "channel": "Kanal", "contacted": "Kontaktet", "reached": "Nået (kvittering, svar)", "paid_14": "Betalt inden 14 dage",
 "cost": "Omkostning", "stopped": "Afmeldinger, klager", "few": "Rækker i kursiv: færre end 30 skyldnere, for få til at sammenligne.", "history": "Udestående saldo, seneste 13 uger", "week": "Dag", "hours": "Hvornår skyldnere svarer og betaler, lokal tid, 180 dage",
 "hour": "Time", "days": "man,tir,ons,tor,fre,lør,søn", "held": "Hvad der holdes tilbage, og hvorfor", "reason": "Grund", "messages": "Beskeder", "holds": "Spærringer", "next": "Planlagt de næste 7 dage", "day": "Dag", "no_data": "Endnu ingen data.",
 "w_ledger": "Bogføringen kan ikke bruges ({}): al kontakt holdes tilbage.", "w_delivery": "Udsendelse står på {}: intet sendes.", "w_zero": "{} beskeder skulle være sendt de seneste 7 dage, og ingen blev det.", "w_dead": "{} beskeder kunne ikke leveres de seneste 7 dage.",
 "w_unknown": "{} beskeders skæbne er ukendt: afvent kvitteringer eller spørg udbyderen.", "w_paused": "Server {} er sat på pause.", "w_down": "Server {}: de fleste forsøg de seneste 24 timer mislykkedes.", "w_tasks": "{} opgaver er over tid.", "w_scores": "Der er endnu ingen scorer.",
 "debtor": "Skyldner", "preferences": "Præferencer", "name": "Navn", "language": "Sprog", "country": "Land", "preferred": "Foretrukken kanal", "consent": "Samtykke", "email": "E-mail", "phone": "Telefon", "balance": "Saldo", "dpd": "dage over forfald",
 "diagnosis": "Diagnose", "p30": "Betaler inden 30 dage", "conversation": "Forløb", "when": "Hvornår", "what": "Hvad", "text": "Tekst", "invoice": "Faktura", "due": "Forfald", "open": "Åben", "promises": "Løfter", "state": "Status", "next_contact": "Næste kontakt",
 "last_contact": "Seneste kontakt", "until": "til",
 "cases": "Overdraget og afskrevet", "recipient": "Modtager", "collected": "Indgået siden", "commission": "Provision", "case_agency": "inkassobureau", "case_court": "retten", "case_write_off": "afskrevet"}
}$json$::jsonb AS l) x
$fn$;
COMMENT ON FUNCTION dunning._labels(text) IS 'The words of the report in en, de, nl or da; English where a language or a word is missing.';
