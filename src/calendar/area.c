/*
 * calendar/area.c
 *		Area codes of North America by zone.
 *
 * Who lives in one zone by his address and carries a phone of another may be in either (12 CFR 1006.6(b)(1), comment 2): both count.
 *
 * Source: the assignments of the North American Numbering Plan Administrator and the Canadian one (nanpa.com, cnac.ca), codes in service
 * or announced for 2026, laid on the zones of their states; an area that lies in two zones has both. Codes that belong to no place
 * (toll-free, personal, satellite) are not here and say nothing. Zones bear the names of calendar/zone.c.
 */
#include "postgres.h"

#include <ctype.h>

#include "calendar/area.h"

typedef struct Area
{
	const char *zones;			/* names separated by blanks, or a country */
	const char *codes;
} Area;

static const Area areas[] = {
	{"America/New_York",
		"203 475 860 959 202 771 302 229 404 470 478 678 706 762 770 912 943 207 227 240 301 410 443 667 339 351 413 508 617 774 781 857 978 "
		"252 336 472 704 743 828 910 919 980 984 603 201 551 609 640 732 848 856 862 908 973 212 315 329 332 347 363 516 518 585 607 624 631 646 680 "
		"716 718 838 845 914 917 929 934 465 216 220 234 283 326 330 380 419 436 440 513 567 614 740 937 215 223 267 272 412 445 484 570 582 610 717 724 "
		"814 835 878 401 803 821 839 843 854 864 276 434 540 571 686 703 757 804 826 948 802 304 681 231 248 269 313 517 586 616 679 734 810 947 989 "
		"239 305 321 324 352 386 407 561 645 656 689 727 728 754 772 786 813 863 904 941 954 260 317 463 502 859 865"},
	{"America/Chicago",
		"205 251 256 334 483 659 938 327 479 501 870 319 515 563 641 712 217 224 309 312 331 447 464 618 630 708 730 773 779 815 847 861 872 "
		"225 318 337 457 504 985 218 320 507 612 651 763 924 952 235 314 417 557 573 636 660 816 975 228 471 601 662 769 405 539 572 580 918 "
		"262 274 353 414 534 608 715 920 316 913 402 531 210 214 254 281 325 346 361 409 430 469 512 621 682 713 726 737 806 817 830 832 903 936 940 "
		"945 956 972 979 615 629 731 901 931"},
	/* the Upper Peninsula, the Panhandle, Indiana, Kentucky and Tennessee */
	{"America/New_York America/Chicago", "906 448 850 219 574 765 812 930 270 364 606 423 729"},
	{"America/Chicago America/Denver", "620 785 701 308 605 432"},
	{"America/Denver", "915 303 719 720 748 970 983 406 505 575 385 435 801 307"},
	{"America/Phoenix", "480 520 602 623"},
	{"America/Phoenix America/Denver", "928"},
	{"America/Denver America/Los_Angeles", "208 986 458 541 775"},
	{"America/Los_Angeles",
		"503 971 702 725 209 213 279 310 323 341 350 357 369 408 415 424 442 510 530 559 562 619 626 628 650 657 661 669 707 714 738 747 760 805 "
		"818 820 831 837 840 858 909 916 925 949 951 206 253 360 425 509 564"},
	{"America/Anchorage America/Adak", "907"},
	{"Pacific/Honolulu", "808"},
	{"America/Halifax", "428 506 782 902"},
	{"America/St_Johns America/Halifax", "709 879"},
	{"America/Toronto", "226 249 289 343 365 382 416 437 519 548 613 647 683 705 742 753 905 942 263 354 438 450 468 514 579 819 873"},
	{"America/Toronto America/Halifax", "367 418 581"},
	{"America/Toronto America/Winnipeg", "807"},
	{"America/Winnipeg", "204 431 584"},
	{"America/Regina", "306 474 639"},
	{"America/Edmonton", "368 403 587 780 825"},
	{"America/Vancouver", "604"},
	{"America/Vancouver America/Edmonton", "236 250 257 672 778"},
	/* the territories: Nunavut alone has three */
	{"America/Creston America/Edmonton America/Winnipeg America/Toronto", "867"},
	{"PR", "787 939"}, {"VI", "340"}, {"GU", "671"}, {"MP", "670"}, {"AS", "684"}, {"BS", "242"}, {"BB", "246"}, {"AI", "264"},
	{"AG", "268"}, {"VG", "284"}, {"KY", "345"}, {"BM", "441"}, {"GD", "473"}, {"TC", "649"}, {"JM", "658 876"}, {"MS", "664"},
	{"SX", "721"}, {"LC", "758"}, {"DM", "767"}, {"VC", "784"}, {"DO", "809 829 849"}, {"TT", "868"}, {"KN", "869"},
};

/* By code; -1: none. */
static int8 by_code[1000];

static void
fill_codes(void)
{
	static bool filled;

	if (filled)
		return;
	memset(by_code, -1, sizeof(by_code));
	for (size_t i = 0; i < lengthof(areas); i++)
		for (const char *p = areas[i].codes; *p != '\0'; p += p[3] == ' ' ? 4 : 3)
			by_code[(p[0] - '0') * 100 + (p[1] - '0') * 10 + p[2] - '0'] = i;
	filled = true;
}

const char *
dun_calendar_area_zones(const char *phone)
{
	int			digits[11];
	int			n = 0;
	int			found;
	bool		abroad;

	if (phone == NULL)
		return NULL;
	phone += strspn(phone, " (");
	abroad = phone[0] == '+' || (phone[0] == '0' && phone[1] == '0');
	phone += strspn(phone, "+0");
	for (; *phone != '\0' && n < 11; phone++)
		if (isdigit((unsigned char) *phone))
			digits[n++] = *phone - '0';
		else if (strchr(" ()-./", *phone) == NULL)
			break;
	/* ten digits, with or without the country's 1 before them, which an international number needs */
	if (n < 10 || (n == 11 ? digits[0] != 1 : abroad))
		return NULL;
	fill_codes();
	found = by_code[digits[n - 10] * 100 + digits[n - 9] * 10 + digits[n - 8]];
	return found < 0 ? NULL : areas[found].zones;
}
