"""Makes a test for promtool of two real scrapes: RULES ALERT BEFORE DURING.

The first scrape is what was seen for two minutes, the second for thirteen more. ALERT
fires at some time then; with `none` for ALERT, nothing fires in all that time.
"""

import json
import re
import sys

SAMPLE = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$')
BEFORE, DURING = 8, 52  # samples, 15 seconds apart


def scrape(path):
    series = {}
    with open(path, encoding='utf-8') as lines:
        for line in lines:
            if line.startswith('#'):
                continue
            name, labels, value = SAMPLE.match(line.rstrip('\n')).groups()
            own = 'job="parley",instance="a:3000"' + (',' + labels if labels else '')
            series[f'{name}{{{own}}}'] = value
    return series


def values(before, during):
    def run(value, n):
        return f'_x{n}' if value is None else f'{value}+0x{n - 1}'

    return f'{run(before, BEFORE)} {run(during, DURING)}'


def main():
    rules, alert, before, during = sys.argv[1:]
    before, during = scrape(before), scrape(during)
    # The clock of the test begins in 1970, and a certificate ends by it.
    for seen in before, during:
        now = max(float(value) for name, value in seen.items()
                  if name.startswith('process_start_time_seconds'))
        for name, value in seen.items():
            if 'certificate_expiry' in name:
                seen[name] = str(float(value) - now)
    which = '' if alert == 'none' else f',alertname="{alert}"'
    fired = f'count(count_over_time(ALERTS{{alertstate="firing"{which}}}[15m])) > bool 0'
    json.dump({
        'rule_files': [rules],
        'evaluation_interval': '15s',
        'tests': [{
            'interval': '15s',
            'input_series': [
                {'series': name, 'values': values(before.get(name), during.get(name))}
                for name in sorted(before.keys() | during.keys())],
            'promql_expr_test': [{
                'expr': fired, 'eval_time': '14m30s',
                'exp_samples': [] if alert == 'none' else [{'labels': '{}', 'value': 1}],
            }],
        }],
    }, sys.stdout)


if __name__ == '__main__':
    main()
