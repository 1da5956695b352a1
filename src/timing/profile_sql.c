/*
 * timing/profile_sql.c
 *		The type response_profile in SQL: as text, entered into, merged, faded, summed and drawn.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "calendar/window.h"
#include "timing/contacts.h"
#include "timing/profile.h"


const DunProfile *
dun_timing_profile(const void *datum)
{
	const DunProfile *p = datum;

	if (VARSIZE(p) >= offsetof(DunProfile, base) && p->version > DUN_PROFILE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("response profile of version %d", p->version),
				 errdetail("This library knows versions up to %d.", DUN_PROFILE_VERSION),
				 errhint("Install the library that wrote it, or learn it anew: SELECT count(*) FROM dunning._rebuild_profiles();")));
	if (VARSIZE(p) != sizeof(DunProfile) || p->version != DUN_PROFILE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("not a response profile"),
				 errhint("SELECT count(*) FROM dunning._rebuild_profiles(); learns profiles anew.")));
	return p;
}

#define GETARG_PROFILE(n) dun_timing_profile(PG_DETOAST_DATUM(PG_GETARG_DATUM(n)))

static DunProfile *
copy_profile(const DunProfile *p)
{
	return memcpy(palloc(sizeof(DunProfile)), p, sizeof(DunProfile));
}

/* ---- as text ---- */

static void
append_octets(StringInfo s, const char *name, const uint8 *octets)
{
	appendStringInfo(s, ", \"%s\": [", name);
	for (int h = 0; h < DUN_HOURS; h++)
		appendStringInfo(s, "%s%d", h == 0 ? "" : ",", octets[h]);
	appendStringInfoChar(s, ']');
}

static void
append_numbers(StringInfo s, const float4 *x, int n)
{
	appendStringInfoChar(s, '[');
	for (int i = 0; i < n; i++)
		appendStringInfo(s, "%s%.9g", i == 0 ? "" : ", ", x[i]);
	appendStringInfoChar(s, ']');
}

PG_FUNCTION_INFO_V1(dun_timing_sql_profile_out);

Datum
dun_timing_sql_profile_out(PG_FUNCTION_ARGS)
{
	const DunProfile *p = GETARG_PROFILE(0);
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfo(&s, "{\"version\": %d, \"contacts\": %d, \"answers\": %d, \"base_hour\": %d, \"entered_until\": " INT64_FORMAT
					 ", \"answer_unit\": %d, \"exposure_unit\": %d, \"archetypes\": ", p->version, p->contacts, p->answers, p->base,
					 dun_timing_entered_until(p), p->k_unit, p->e_unit);
	append_numbers(&s, p->theta, DUN_ARCHETYPES);
	appendStringInfoString(&s, ", \"channels\": {");
	for (int i = 0; i < DUN_MEDIA; i++)
	{
		appendStringInfo(&s, "%s\"%s\": ", i == 0 ? "" : ", ", dun_timing_medium_name(i));
		append_numbers(&s, p->media[i], 2);
	}
	appendStringInfoChar(&s, '}');
	append_octets(&s, "answers_by_hour", p->k);
	append_octets(&s, "exposure_by_hour", p->e);
	appendStringInfoChar(&s, '}');
	PG_RETURN_CSTRING(s.data);
}

static void
refuse_text(const char *field)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid response profile: \"%s\" is missing or out of range", field),
			 errhint("Profiles are made by maintain(); SELECT profile FROM dunning.timing_profile LIMIT 1; shows one.")));
}

static double
number_of(const JsonbValue *v, const char *field, double least, double most)
{
	double		x;

	if (v == NULL || v->type != jbvNumeric)
		refuse_text(field);
	x = DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(v->val.numeric)));
	if (!(x >= least && x <= most))
		refuse_text(field);
	return x;
}

static JsonbValue *
field_of(JsonbContainer *c, const char *field)
{
	JsonbValue	key = {.type = jbvString};

	key.val.string.val = unconstify(char *, field);
	key.val.string.len = strlen(field);
	return JsonContainerIsObject(c) ? findJsonbValueFromContainer(c, JB_FOBJECT, &key) : NULL;
}

static double
number_at(JsonbContainer *c, const char *field, double least, double most)
{
	return number_of(field_of(c, field), field, least, most);
}

static JsonbContainer *
array_at(JsonbContainer *c, const char *field, int n)
{
	JsonbValue *v = field_of(c, field);

	if (v == NULL || v->type != jbvBinary || !JsonContainerIsArray(v->val.binary.data) || JsonContainerSize(v->val.binary.data) != n)
		refuse_text(field);
	return v->val.binary.data;
}

static void
read_numbers(JsonbContainer *c, const char *field, int n, double most, float4 *floats, uint8 *octets)
{
	JsonbContainer *array = array_at(c, field, n);

	for (int i = 0; i < n; i++)
	{
		double		x = number_of(getIthJsonbValueFromContainer(array, i), field, 0, most);

		if (floats != NULL)
			floats[i] = x;
		else
			octets[i] = (uint8) x;
	}
}

PG_FUNCTION_INFO_V1(dun_timing_sql_profile_in);

Datum
dun_timing_sql_profile_in(PG_FUNCTION_ARGS)
{
	Jsonb	   *json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, PG_GETARG_DATUM(0)));
	JsonbContainer *c = &json->root;
	JsonbValue *media;
	DunProfile *p = palloc0(sizeof(DunProfile));
	TimestampTz until;

	SET_VARSIZE(p, sizeof(DunProfile));
	p->version = number_at(c, "version", 1, 255);
	dun_timing_profile(p);
	p->contacts = number_at(c, "contacts", 0, PG_UINT16_MAX);
	p->answers = number_at(c, "answers", 0, PG_UINT16_MAX);
	p->base = number_at(c, "base_hour", -4e7, 4e7);
	until = number_at(c, "entered_until", -1e17, 9e15);
	memcpy(p->until, &until, sizeof(until));
	p->k_unit = number_at(c, "answer_unit", -60, 60);
	p->e_unit = number_at(c, "exposure_unit", -60, 60);
	read_numbers(c, "archetypes", DUN_ARCHETYPES, 1e6, p->theta, NULL);
	read_numbers(c, "answers_by_hour", DUN_HOURS, 255, NULL, p->k);
	read_numbers(c, "exposure_by_hour", DUN_HOURS, 255, NULL, p->e);
	media = field_of(c, "channels");
	if (media == NULL || media->type != jbvBinary)
		refuse_text("channels");
	for (int i = 0; i < DUN_MEDIA; i++)
		read_numbers(media->val.binary.data, dun_timing_medium_name(i), 2, 1e12, p->media[i], NULL);
	PG_RETURN_POINTER(p);
}

/* ---- entering ---- */

PG_FUNCTION_INFO_V1(dun_timing_sql_enter);

/* _enter(profile, zone, sent[], channels[], answers[], late[], prior, now) → response_profile; NULL where there is nothing to enter */
Datum
dun_timing_sql_enter(PG_FUNCTION_ARGS)
{
	const DunProfile *before = PG_ARGISNULL(0) ? NULL : GETARG_PROFILE(0);
	pg_tz	   *zone = dun_calendar_find_zone(PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1)));
	const DunPrior *prior = dun_timing_prior(PG_ARGISNULL(6) ? NULL : PG_GETARG_BYTEA_P(6));
	DunContacts contacts;
	DunProfile *p;
	int			nlate;
	TimestampTz *late;

	if (zone == NULL || PG_ARGISNULL(7))
		PG_RETURN_NULL();
	dun_timing_read_contacts(&contacts, fcinfo, 2);
	late = dun_timing_read_instants(fcinfo, 5, &nlate);
	dun_timing_settle(&contacts, prior, before == NULL ? DT_NOBEGIN : dun_timing_entered_until(before), PG_GETARG_TIMESTAMPTZ(7));
	if (contacts.nover == 0 && (before == NULL || nlate == 0))
		PG_RETURN_NULL();
	if (before != NULL)
		p = copy_profile(before);
	else
	{
		p = palloc0(sizeof(DunProfile));
		SET_VARSIZE(p, sizeof(DunProfile));
		dun_timing_clear(p);
	}
	for (int i = 0; i < contacts.nover; i++)
	{
		const DunContactOver *c = &contacts.over[i];

		dun_timing_enter(p, prior, zone, c->sent, c->answered, c->medium, c->counts);
	}
	for (int i = 0; i < nlate; i++)
		dun_timing_enter_late(p, zone, late[i]);
	dun_timing_find_theta(p, prior);
	PG_RETURN_POINTER(p);
}

/* ---- merged, faded, summed ---- */

PG_FUNCTION_INFO_V1(dun_timing_sql_merge);

/* _merge_profiles(a, b, prior): two accounts of one person */
Datum
dun_timing_sql_merge(PG_FUNCTION_ARGS)
{
	const DunPrior *prior = dun_timing_prior(PG_ARGISNULL(2) ? NULL : PG_GETARG_BYTEA_P(2));
	DunProfile *p;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_DATUM(PG_GETARG_DATUM(PG_ARGISNULL(0) ? 1 : 0));
	p = copy_profile(GETARG_PROFILE(0));
	dun_timing_merge(p, GETARG_PROFILE(1));
	dun_timing_find_theta(p, prior);
	PG_RETURN_POINTER(p);
}

PG_FUNCTION_INFO_V1(dun_timing_sql_fade);

/* _fade_profile(profile, share, prior): what is left where only so much of the evidence is believed */
Datum
dun_timing_sql_fade(PG_FUNCTION_ARGS)
{
	const DunPrior *prior = dun_timing_prior(PG_ARGISNULL(2) ? NULL : PG_GETARG_BYTEA_P(2));
	double		share;
	DunProfile *p;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	p = copy_profile(GETARG_PROFILE(0));
	share = PG_GETARG_FLOAT8(1);

	if (!(share >= 0 && share <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a share lies between 0 and 1, not %g", share),
				 errhint("SELECT dunning._fade_profile(p.profile, 0.5, NULL) FROM dunning.timing_profile p;")));
	dun_timing_fade(p, share);
	dun_timing_find_theta(p, prior);
	PG_RETURN_POINTER(p);
}

double *
dun_timing_sums(FunctionCallInfo fcinfo, int n, ArrayType **state)
{
	*state = AggCheckCallContext(fcinfo, NULL) ? PG_GETARG_ARRAYTYPE_P(0) : PG_GETARG_ARRAYTYPE_P_COPY(0);
	if (ARR_NDIM(*state) != 1 || ARR_DIMS(*state)[0] != n || ARR_HASNULL(*state) || ARR_ELEMTYPE(*state) != FLOAT8OID)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("not sums of this kind"),
				 errdetail("An array of %d numbers is needed.", n),
				 errhint("SELECT dunning.sum_profiles(p.profile) FROM dunning.timing_profile p;")));
	return (double *) ARR_DATA_PTR(*state);
}

PG_FUNCTION_INFO_V1(dun_timing_sql_add_profile);

/* Transition: float8[336] += a profile, in the weight of its last contact. */
Datum
dun_timing_sql_add_profile(PG_FUNCTION_ARGS)
{
	ArrayType  *state;
	double	   *sums = dun_timing_sums(fcinfo, 2 * DUN_HOURS, &state);
	double		k[DUN_HOURS],
				e[DUN_HOURS];

	dun_timing_unpack(GETARG_PROFILE(1), k, e);
	for (int h = 0; h < DUN_HOURS; h++)
	{
		sums[h] += k[h];
		sums[DUN_HOURS + h] += e[h];
	}
	PG_RETURN_ARRAYTYPE_P(state);
}

/* ---- to look at ---- */

PG_FUNCTION_INFO_V1(dun_timing_sql_intensity);

/* _intensity(profile, prior) → float8[168]: how much likelier than on average an answer is in each hour of the week */
Datum
dun_timing_sql_intensity(PG_FUNCTION_ARGS)
{
	const DunPrior *prior = dun_timing_prior(PG_ARGISNULL(1) ? NULL : PG_GETARG_BYTEA_P(1));
	double		lambda[DUN_HOURS];
	Datum		out[DUN_HOURS];

	dun_timing_intensity(PG_ARGISNULL(0) ? NULL : GETARG_PROFILE(0), prior, lambda);
	for (int h = 0; h < DUN_HOURS; h++)
		out[h] = Float8GetDatum(lambda[h]);
	PG_RETURN_ARRAYTYPE_P(construct_array(out, DUN_HOURS, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

PG_FUNCTION_INFO_V1(dun_timing_sql_picture);

/* _picture(profile, prior): a line a day, a mark an hour from ' ' to '@' by intensity */
Datum
dun_timing_sql_picture(PG_FUNCTION_ARGS)
{
	static const char marks[] = " .:-=+*#%@";
	static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	const DunPrior *prior = dun_timing_prior(PG_ARGISNULL(1) ? NULL : PG_GETARG_BYTEA_P(1));
	double		lambda[DUN_HOURS],
				most = 1e-9;
	StringInfoData s;

	dun_timing_intensity(PG_ARGISNULL(0) ? NULL : GETARG_PROFILE(0), prior, lambda);
	for (int h = 0; h < DUN_HOURS; h++)
		most = Max(most, lambda[h]);
	initStringInfo(&s);
	appendStringInfoString(&s, "    0     6     12    18");
	for (int h = 0; h < DUN_HOURS; h++)
	{
		if (h % 24 == 0)
			appendStringInfo(&s, "\n%s ", days[h / 24]);
		appendStringInfoChar(&s, marks[(int) Min(9, lambda[h] / most * 10)]);
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(s.data, s.len));
}

PG_FUNCTION_INFO_V1(dun_timing_sql_counts);

Datum
dun_timing_sql_counts(PG_FUNCTION_ARGS)
{
	const DunProfile *p = GETARG_PROFILE(0);
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "a row is returned");
	values[0] = Int32GetDatum(p->contacts);
	values[1] = Int32GetDatum(p->answers);
	values[2] = TimestampTzGetDatum(dun_timing_entered_until(p));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
