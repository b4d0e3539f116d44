{# Names the files of this release, so that a new release renews what browsers keep. #}
self.DOOR = {{ door|tojson }};
importScripts({{ asset('worker.js')|tojson }});
