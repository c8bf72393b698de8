"""Writes chat.json: what transformers' apply_chat_template makes of small templates, for the tests to compare with.

    python chat.py        # needs transformers; writes beside itself

The templates are our own. Each uses constructs that templates of published models use.
"""

import datetime
import json
import pathlib

import transformers.utils.chat_template_utils as utils
from transformers import PreTrainedTokenizerFast
from tokenizers import Tokenizer, models

HERE = pathlib.Path(__file__).parent

TEMPLATES = {
    "marked turns": """{% for message in messages %}
    {%- if loop.first and message.role != 'system' %}
<|start|>system
Be brief.<|stop|>
    {% endif %}
<|start|>{{ message['role'] }}
{{ message['content'] }}<|stop|>
{% endfor %}
{% if add_generation_prompt %}
<|start|>assistant
{% endif %}""",
    "strict turns": """{{ bos_token }}
{%- if messages[0]['role'] == 'system' %}
    {%- set opening = messages[0]['content'] | trim + '\\n\\n' %}
    {%- set rest = messages[1:] %}
{%- else %}
    {%- set opening = '' %}
    {%- set rest = messages %}
{%- endif %}
{%- for message in rest %}
    {%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('users and assistants take turns, from the user on') }}
    {%- endif %}
    {%- if message.role == 'user' %}
        {{- '[ASK] ' + (opening if loop.first else '') + message.content.strip() + ' [/ASK]' }}
    {%- else %}
        {{- ' ' ~ message.content | trim ~ eos_token }}
    {%- endif %}
{%- endfor %}""",
    "names and dates": """{%- set state = namespace(asked=0, system=none) -%}
{%- for m in messages %}{% if m.role == 'system' %}{% set state.system = m.content %}{% endif %}{% endfor -%}
Today is {{ strftime_now("%d %B %Y") }}, {{ strftime_now('%A') }}.
{%- if state.system is not none %} {{ state.system.split('.')[0] | upper }}{% endif %}
{% for m in messages if m.role != 'system' %}
{%- set state.asked = state.asked + 1 %}
{{ state.asked }}/{{ messages | length }} {{ m.role.capitalize() }}: {{ m.content.replace('\\n', ' ') }}
{%- if not loop.last %};{% endif %}
{%- endfor %}
{{- '\\nAssistant:' if add_generation_prompt }}""",
    "json": """{{ messages | tojson }}
{{ messages[0] | tojson(indent=2) }}
{{ {'a': [1, 2.5, none, true], 'b': '<&é>'} | tojson }} {{ tools is none }} {{ unknown is defined }}|{{ unknown }}|""",
    "loops with breaks": """{% for message in messages %}
{% if message.role == 'assistant' %}{% continue %}{% endif %}
{% if loop.index > 3 %}{% break %}{% endif %}
{{ loop.index }}:{{ message.content.startswith('Is') }}:{{ message.content.lstrip()[:4] }}
{% endfor %}
{% macro wrap(x, mark='*') %}{{ mark }}{{ x }}{{ mark }}{% endmacro %}
{{ wrap(messages[-1].content.split(' ')[-1]) }} {{ wrap('x', mark='+') }}
{% set block %}in {{ messages | map(attribute='role') | join(', ') }}{% endset %}
{{ block }}""",
    "generation marks": """{%- for message in messages %}
{%- if message.role == 'assistant' %}
A:
{%- generation %}
 {{ message.content }}{{ eos_token }}
{% endgeneration %}
{%- else %}
Q: {{ message.content }}
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}A:{% endif %}""",
    "filters": """{{ messages | selectattr('role', 'equalto', 'user') | list | length }}
{%- for key, value in messages[0].items() %} {{ key }}={{ value | replace('wet', 'dry') }}{% endfor %}
{{ (messages | last).content | default('nothing') }} {{ 7 // 2 }} {{ 2 ** 3 }} {{ 'wet' in messages[0].content }}
{{- ' yes' if messages[0].content is string and messages is not mapping and messages is iterable else ' no' }}
{%- if 'system' in messages | map(attribute='role') %} system{% elif false %} never{% endif %}""",
}

CONVERSATIONS = [
    [("user", "Is water wet?")],
    [("system", "  You judge. Be fair.\n"), ("user", " Is ice\nwet? "), ("assistant", "No."), ("user", "Is \"steam\" wet?")],
    [("assistant", "I begin."), ("user", "Is é wet?")],
]


class Fixed(datetime.datetime):
    """2024-07-05, a Friday."""

    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 5, 14, 9, 7)


def main():
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"a": 0}, "a")), bos_token="<s>", eos_token="</s>")
    if not hasattr(utils, "datetime"):
        raise SystemExit("this transformers keeps its clock elsewhere")
    utils.datetime = Fixed
    cases = []
    for name, template in TEMPLATES.items():
        for turns in CONVERSATIONS:
            messages = [{"role": role, "content": content} for role, content in turns]
            for answer in (True, False):
                case = {"name": name, "template": template, "messages": messages, "answer": answer}
                try:
                    case["text"] = tokenizer.apply_chat_template(
                        messages, chat_template=template, tokenize=False, add_generation_prompt=answer
                    )
                except Exception as error:  # What a template raises comes as Jinja's own error.
                    case["raised"] = str(error)
                cases.append(case)
    (HERE / "chat.json").write_text(json.dumps(cases, indent=1) + "\n")


main()
