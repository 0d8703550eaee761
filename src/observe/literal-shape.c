#include "observe/literal-shape.h"

#include "observe/classify.h"
#include "observe/scan-priv.h"

bool qn_url_of_interest(const struct qn_classes *c, struct qn_str s, struct qn_event *ret)
{
        struct qn_str class;
        struct qn_url url;

        if (!qn_url_split(s, false, &url))
                return false;
        class = qn_classify_host(c, url.host, url.path);
        if (!class.n || qn_str_is(class, "private"))
                return false;
        *ret = qn_observe_make(QN_EVENT_URL_LITERAL);
        qn_event_attr(ret, QN_ATTR_URL, s);
        qn_event_attr(ret, QN_ATTR_HOST, url.host);
        qn_event_attr(ret, QN_ATTR_CLASS, class);
        return true;
}
