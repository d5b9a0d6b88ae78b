"""The Portuguese words on the pictures in docs/images/pt, which draw_pictures.py draws like the English ones."""

KEPT = {"", "notebooks", "download", "import azureml", "import azure.ai.ml"}  # the same in Portuguese
PORTUGUESE = {
    "workspace": "espaço de trabalho",
    "data": "dados",
    "named files": "arquivos com nome",
    "compute": "computação",
    "machines": "máquinas",
    "run": "execução",
    "a script at work": "um script rodando",
    "model": "modelo",
    "what it learned": "o que se aprendeu",
    "service": "serviço",
    "answers requests": "devolve respostas",
    "your notebook": "seu notebook",
    "on your machine": "na sua máquina",
    "you are here": "você está aqui",
    "asks": "consulta",
    "made": "criado",
    "still to come": "ainda por vir",
    "Lesson": "Lição",
    "The stages of a run": "Os estágios de uma execução",
    "submitted": "enviada",
    "environment built": "ambiente pronto",
    "waits for a node": "espera por um nó",
    "the script works": "o script trabalha",
    "outputs are kept": "saídas guardadas",
    "at any time: run.cancel()": "a qualquer momento: run.cancel()",
    "the log says why": "o log diz por quê",
    "what it wrote is kept": "o que gravou fica guardado",
    "How it fits together": "Como tudo se encaixa",
    "one by one, in JupyterLab": "um a um, no JupyterLab",
    "batch runner": "executor em lote",
    "all of them, papermill": "todos, com o papermill",
    "v1: a mocked SDK": "v1: SDK simulado",
    "v2: the real SDK": "v2: SDK real",
    "the real SDKs": "SDKs reais",
    "v1 or v2": "v1 ou v2",
    "engine": "mecanismo",
    "jobs, nodes": "execuções, nós",
    "training": "treinamento",
    "a real process": "processo real",
    "the workspace is a folder": "pasta do espaço de trabalho",
    "runs (MLflow), files, models, services": "MLflow, arquivos, modelos, serviços",
    "Azure ML workspace": "espaço de trabalho no Azure",
    "clusters, runs, models, services": "clusters, execuções, modelos, serviços",
    "on this machine": "nesta máquina",
    'backend = "offline" or "azure"': 'backend = "offline" ou "azure"',
}
# What goes with a picture wherever it is shown.
ALTERNATIVES = {
    "here-1.svg": (
        "Mapa da série: os dados e a computação resultam em uma execução, a execução resulta em um modelo, o modelo "
        "resulta em um serviço, tudo dentro do espaço de trabalho. Você está aqui: no espaço de trabalho, ainda "
        "vazio."
    ),
    "here-2.svg": "Mapa da série. Você está aqui: nos dados. O espaço de trabalho está aberto.",
    "here-3.svg": "Mapa da série. Você está aqui: na computação. Os dados já estão lá.",
    "here-4.svg": "Mapa da série. Você está aqui: na execução, que usa os dados e a computação.",
    "stages.svg": (
        "Os estágios de uma execução, da esquerda para a direita: NotStarted; Preparing, o ambiente é construído ou "
        "encontrado; Queued, ela espera por um nó; Running, o script trabalha; Finalizing, as saídas são guardadas; "
        "Completed. Preparing e Running podem terminar em Failed, e cada estágio anterior ao fim, em Canceled."
    ),
    "here-5.svg": "Mapa da série. Você está aqui: no modelo, feito com os arquivos da execução.",
    "here-6.svg": "Mapa da série. Você está aqui: no seu notebook, para o qual o modelo é baixado.",
    "here-7.svg": (
        "Mapa da série. Você está aqui: de novo na execução, desta vez em muitas delas, para encontrar um modelo "
        "melhor."
    ),
    "here-8.svg": "Mapa da série. Você está aqui: no serviço, que responde com o modelo.",
    "here-9.svg": (
        "Mapa da série. Você está aqui: na computação e no serviço, os dois que custam dinheiro e são removidos."
    ),
    "house.svg": (
        "Como tudo se encaixa. Os notebooks, ou o executor em lote, importam um SDK. Com o backend offline, a versão "
        "1 é um SDK simulado e a versão 2 é o da própria Microsoft; ambos chegam a um mecanismo nesta máquina, que "
        "guarda o espaço de trabalho em uma pasta e inicia o script de treinamento como um processo real. Com o "
        "backend azure, os SDKs verdadeiros chegam a um espaço de trabalho do Azure ML."
    ),
}


def portuguese(words: str) -> str:
    """What stands on a Portuguese picture in place of these English words. Raises KeyError where nobody has said."""
    return words if words in KEPT else PORTUGUESE[words]
